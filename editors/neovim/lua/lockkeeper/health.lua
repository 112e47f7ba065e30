--- `:checkhealth lockkeeper`.

local M = {}

function M.check()
  local health = vim.health
  health.start('lockkeeper')
  local lockkeeper = require('lockkeeper')
  local program, problem = lockkeeper.locate()
  if not program then
    health.error(problem, { 'Install the program, or name it: require("lockkeeper").setup{ path = "…" }' })
    return
  end
  local version = vim.trim(vim.fn.system({ program, '--version' }))
  if vim.v.shell_error == 0 then
    health.ok(('%s is %s'):format(vim.fn.exepath(program), version))
  else
    health.error(('%s does not run: %s'):format(program, version))
  end
  if vim.fn.has('nvim-0.10') == 0 then
    health.warn('Neovim 0.9 shows no hints: they need 0.10')
  end
  local clients = lockkeeper.clients()
  if #clients == 0 then
    health.info('no server runs: open a migration')
  end
  for _, client in ipairs(clients) do
    local root = client.config.root_dir or 'no folder'
    health.ok(('a server runs for %s, with %d buffers'):format(root, #vim.lsp.get_buffers_by_client_id(client.id)))
  end
end

return M
