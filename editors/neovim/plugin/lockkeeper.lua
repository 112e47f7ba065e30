--- The commands. Nothing starts before `require('lockkeeper').setup{}`.

if vim.g.loaded_lockkeeper then
  return
end
vim.g.loaded_lockkeeper = true

vim.api.nvim_create_user_command('LockkeeperRestart', function()
  require('lockkeeper').restart()
end, { desc = 'Stop the Lockkeeper server and start it again' })

vim.api.nvim_create_user_command('LockkeeperRewrite', function()
  require('lockkeeper').rewrite()
end, { desc = 'Rewrite the migration under the cursor as expand-contract files' })
