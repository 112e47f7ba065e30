--- Starts the Lockkeeper language server for migrations. Everything clever is in the server, so every editor has it.

local M = {}

local REWRITE = 'Rewrite as expand-contract'

local defaults = {
  --- The program. Nil: LOCKKEEPER_BIN, then the PATH.
  path = nil,
  --- Buffers of these types are sent to the server.
  filetypes = { 'sql' },
  --- A folder with one of these is a project's root.
  root_markers = { 'lockkeeper.toml', '.git' },
  --- Who waits, for what, at the end of each statement.
  inlay_hints = true,
  --- Which statements have a hint: 'up', 'all' (the way back too) or 'off'.
  hints = 'up',
  --- Verdicts and places of steps above the first line.
  code_lenses = true,
}

M.config = vim.deepcopy(defaults)

--- The program, or nothing and a sentence that says what to do.
function M.locate()
  local told = M.config.path or vim.env.LOCKKEEPER_BIN
  if told and told ~= '' then
    if vim.fn.executable(told) == 1 then
      return told
    end
    return nil, ('lockkeeper: %s is not a program; see :help lockkeeper-path'):format(told)
  end
  if vim.fn.executable('lockkeeper') == 1 then
    return 'lockkeeper'
  end
  return nil, 'lockkeeper: the program is not on the PATH; see :help lockkeeper-path'
end

local function root_of(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  local folder = name ~= '' and vim.fs.dirname(name) or vim.fn.getcwd()
  local marker = vim.fs.find(M.config.root_markers, { path = folder, upward = true })[1]
  return marker and vim.fs.dirname(marker) or folder
end

local function on_attach(client, buffer)
  local hints = vim.lsp.inlay_hint
  if M.config.inlay_hints and hints and client.server_capabilities.inlayHintProvider then
    hints.enable(true, { bufnr = buffer })
  end
  if M.config.code_lenses and client.server_capabilities.codeLensProvider then
    vim.lsp.codelens.refresh({ bufnr = buffer })
    vim.api.nvim_create_autocmd({ 'BufWritePost', 'InsertLeave' }, {
      buffer = buffer,
      callback = function()
        vim.lsp.codelens.refresh({ bufnr = buffer })
      end,
    })
  end
end

--- What the server is told of the options.
local function settings()
  return { lockkeeper = { hints = M.config.hints } }
end

--- The configuration for |vim.lsp.enable()|, from Neovim 0.11 on.
function M.lsp_config()
  return {
    cmd = { M.locate() or 'lockkeeper', 'lsp' },
    filetypes = M.config.filetypes,
    root_markers = M.config.root_markers,
    settings = settings(),
    init_options = settings().lockkeeper,
    on_attach = on_attach,
  }
end

local warned = false

--- Starts the server for a buffer, or joins the one of its project.
function M.start(buffer)
  buffer = buffer == nil and vim.api.nvim_get_current_buf() or buffer
  if vim.bo[buffer].buftype ~= '' then
    return nil
  end
  local program, problem = M.locate()
  if not program then
    -- Once per session: every opened file would say it again.
    if not warned then
      vim.notify(problem, vim.log.levels.WARN)
    end
    warned = true
    return nil
  end
  return vim.lsp.start({
    name = 'lockkeeper',
    cmd = { program, 'lsp' },
    root_dir = root_of(buffer),
    settings = settings(),
    init_options = settings().lockkeeper,
    on_attach = on_attach,
  }, { bufnr = buffer })
end

--- The running servers.
function M.clients()
  local get = vim.lsp.get_clients or vim.lsp.get_active_clients
  return get({ name = 'lockkeeper' })
end

--- Stops every server and starts anew for the buffers that had one.
function M.restart()
  local buffers = {}
  for _, client in ipairs(M.clients()) do
    for _, buffer in ipairs(vim.lsp.get_buffers_by_client_id(client.id)) do
      table.insert(buffers, buffer)
      -- Else Neovim asks for hints once more while the server goes, and shows the refusal as an error.
      if vim.lsp.inlay_hint then
        vim.lsp.inlay_hint.enable(false, { bufnr = buffer })
      end
    end
    vim.lsp.stop_client(client.id)
  end
  vim.wait(3000, function()
    return #M.clients() == 0
  end)
  warned = false
  for _, buffer in ipairs(#buffers > 0 and buffers or { vim.api.nvim_get_current_buf() }) do
    M.start(buffer)
  end
end

--- The rewrite under the cursor: the recommended one, else the first. New files are buffers until `:wa` writes them: the message says so.
function M.rewrite()
  local seen = false
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      local wanted = not seen and vim.startswith(action.title, REWRITE)
      seen = seen or wanted
      return wanted
    end,
  })
  vim.notify('lockkeeper: :wa writes the new migration files', vim.log.levels.INFO)
end

--- Attaches to every buffer of the file types, also to those that are open already.
function M.setup(options)
  M.config = vim.tbl_extend('force', vim.deepcopy(defaults), options or {})
  if vim.fn.has('nvim-0.9') == 0 then
    vim.notify('lockkeeper needs Neovim 0.9 or newer', vim.log.levels.ERROR)
    return
  end
  local group = vim.api.nvim_create_augroup('lockkeeper', { clear = true })
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = M.config.filetypes,
    callback = function(event)
      M.start(event.buf)
    end,
  })
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.tbl_contains(M.config.filetypes, vim.bo[buffer].filetype) then
      M.start(buffer)
    end
  end
end

return M
