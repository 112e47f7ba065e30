--- The whole way of a developer in a real, headless Neovim: diagnostics, the code action, the written files.
---
---     nvim --headless -u NONE -l editors/neovim/test/run.lua
---
--- LOCKKEEPER_BIN is the server, LOCKKEEPER_TEST_DIR where the copy of the shop lies. Exits with 1 at the first failure.

local here = vim.fs.dirname(vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p'))
local plugin = vim.fs.dirname(here)
local root = vim.fs.dirname(vim.fs.dirname(plugin))
local shop = root .. '/examples/shop'
local folder = 'db/migrations'
local migration = folder .. '/20260114100000_rename_user_name.sql'
local patience = 20000

local function fail(message)
  io.stderr:write('neovim test: ' .. message .. '\n')
  vim.cmd('cquit 1')
end

local function check(condition, message)
  if not condition then
    fail(message)
  end
end

local function await(what, condition)
  check(vim.wait(patience, condition, 20), 'not in time: ' .. what)
end

local function list(path)
  local names = {}
  for name in vim.fs.dir(path) do
    names[name] = true
  end
  return names
end

local function copy_shop()
  local copy = vim.env.LOCKKEEPER_TEST_DIR or vim.fn.tempname()
  check(vim.fn.filereadable(shop .. '/' .. migration) == 1, shop .. '/' .. migration .. ' is the migration of this test')
  vim.fn.delete(copy, 'rf')
  vim.fn.mkdir(vim.fn.fnamemodify(copy, ':h'), 'p')
  vim.fn.system({ 'cp', '-r', shop, copy })
  check(vim.v.shell_error == 0, 'cannot copy ' .. shop)
  return copy
end

--- A missing program is said once and breaks nothing.
local function without_a_program(lockkeeper)
  local said = {}
  local notify = vim.notify
  vim.notify = function(message)
    table.insert(said, message)
  end
  local bin = vim.env.LOCKKEEPER_BIN
  vim.env.LOCKKEEPER_BIN = '/nowhere/lockkeeper'
  check(lockkeeper.start(0) == nil and lockkeeper.start(0) == nil, 'a missing program starts nothing')
  vim.env.LOCKKEEPER_BIN = bin
  vim.notify = notify
  check(#said == 1 and said[1]:find('/nowhere/lockkeeper is not a program', 1, true), 'said: ' .. vim.inspect(said))
end

local function diagnostics(buffer)
  await('diagnostics', function()
    return #vim.diagnostic.get(buffer) > 0
  end)
  for _, diagnostic in ipairs(vim.diagnostic.get(buffer)) do
    check(diagnostic.source == 'lockkeeper', 'the source is ' .. tostring(diagnostic.source))
  end
  return vim.diagnostic.get(buffer)
end

--- The titles that the server offers at a diagnostic.
local function titles(client, buffer, diagnostic)
  vim.api.nvim_win_set_cursor(0, { diagnostic.lnum + 1, diagnostic.col })
  local params = vim.lsp.util.make_range_params(0, client.offset_encoding)
  params.context = { diagnostics = {} }
  local answer, problem = client.request_sync('textDocument/codeAction', params, patience, buffer)
  check(answer and not answer.err, 'code actions: ' .. vim.inspect(problem or answer.err))
  local found = {}
  for _, action in ipairs(answer.result or {}) do
    table.insert(found, action.title)
  end
  return found
end

local function rewrite(copy)
  local before = list(copy .. '/' .. folder)
  vim.cmd('LockkeeperRewrite')
  await('the rewrite makes files', function()
    local created = 0
    for name in pairs(list(copy .. '/' .. folder)) do
      created = created + (before[name] and 0 or 1)
    end
    return created >= 2
  end)
  vim.cmd('silent wall')
  for name in pairs(list(copy .. '/' .. folder)) do
    local text = table.concat(vim.fn.readfile(copy .. '/' .. folder .. '/' .. name), '\n')
    check(text:find('%S'), name .. ' is empty')
    if not before[name] then
      check(text:find('migrate:up', 1, true), name .. ' is not a migration of the framework:\n' .. text)
      print('created ' .. name)
    end
  end
end

--- The tags are handed out: a plugin that is appended to the runtime path has no other.
local function help_is_found()
  for _, topic in ipairs({ 'lockkeeper', 'lockkeeper-path', 'lockkeeper-undo', ':LockkeeperRewrite' }) do
    local found, problem = pcall(vim.cmd.help, topic)
    check(found, ':help ' .. topic .. ': ' .. tostring(problem))
    vim.cmd('helpclose')
  end
end

local function position_of(line, word)
  local text = vim.api.nvim_buf_get_lines(0, line, line + 1, true)[1]
  return { line + 1, text:find(word, 1, true) - 1 }
end

local function ask(client, buffer, method, more)
  local params = vim.tbl_extend('force', vim.lsp.util.make_position_params(0, client.offset_encoding), more or {})
  local answer, problem = client.request_sync(method, params, patience, buffer)
  check(answer and not answer.err, method .. ': ' .. vim.inspect(problem or answer.err))
  return answer.result
end

--- Hints, lenses, the definition of a column, completion, hover, and the health check.
local function names(client, buffer)
  vim.api.nvim_win_set_cursor(0, position_of(1, 'name TO'))
  local definition = ask(client, buffer, 'textDocument/definition')
  check(definition and definition.uri:find('create_users', 1, true), 'definition: ' .. vim.inspect(definition))
  local hover = ask(client, buffer, 'textDocument/hover').contents.value
  check(hover:find('**column** `users.name`', 1, true), 'hover: ' .. hover)
  local completion = ask(client, buffer, 'textDocument/completion')
  check(#(completion.items or completion) > 0, 'nothing is completed')
  await('hints', function()
    return not vim.lsp.inlay_hint or #vim.lsp.inlay_hint.get({ bufnr = buffer }) == 1
  end)
  await('lenses', function()
    return #vim.lsp.codelens.get(buffer) > 0
  end)
  vim.cmd('checkhealth lockkeeper')
  local health = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\n')
  check(health:find('a server runs for', 1, true) and not health:find('ERROR', 1, true), health)
  vim.cmd('bwipeout')
end

--- Undone in one buffer, the others say so.
local function undo(copy, buffer)
  vim.api.nvim_set_current_buf(buffer)
  local steps = vim.fn.glob(copy .. '/' .. folder .. '/*backfill.sql', true, true)
  vim.cmd('edit ' .. vim.fn.fnameescape(steps[1]))
  local step = vim.api.nvim_get_current_buf()
  vim.api.nvim_buf_call(buffer, function()
    vim.cmd('silent undo')
  end)
  await('the gap is told', function()
    for _, diagnostic in ipairs(vim.diagnostic.get(step)) do
      if diagnostic.code == 'incomplete-steps' then
        return true
      end
    end
    return false
  end)
end

local function run()
  vim.opt.runtimepath:append(plugin)
  vim.cmd('filetype on | runtime plugin/lockkeeper.lua')
  help_is_found()
  local lockkeeper = require('lockkeeper')
  without_a_program(lockkeeper)
  lockkeeper.setup({})
  local copy = copy_shop()
  vim.cmd('edit ' .. vim.fn.fnameescape(copy .. '/' .. migration))
  local buffer = vim.api.nvim_get_current_buf()
  await('the server starts', function()
    local client = lockkeeper.clients()[1]
    return client and client.initialized
  end)
  local first = diagnostics(buffer)[1]
  local offered = titles(lockkeeper.clients()[1], buffer, first)
  local rewrites = vim.tbl_filter(function(title)
    return vim.startswith(title, 'Rewrite as expand-contract')
  end, offered)
  check(#rewrites >= 1, 'offered: ' .. vim.inspect(offered))
  names(lockkeeper.clients()[1], buffer)
  vim.api.nvim_win_set_cursor(0, { first.lnum + 1, first.col })
  rewrite(copy)
  undo(copy, buffer)
  vim.api.nvim_set_current_buf(buffer)
  vim.cmd('LockkeeperRestart')
  await('the server starts again', function()
    local client = lockkeeper.clients()[1]
    return client and client.initialized
  end)
  print('neovim ' .. tostring(vim.version()) .. ': ok')
end

-- A question that nobody answers ends Neovim with 0: only the end of the test is a success.
local finished = false
vim.api.nvim_create_autocmd('VimLeavePre', {
  callback = function()
    if not finished then
      os.exit(1)
    end
  end,
})
local ok, problem = xpcall(run, debug.traceback)
if not ok then
  fail(problem)
end
finished = true
vim.cmd('qall!')
