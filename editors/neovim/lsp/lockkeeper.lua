--- For Neovim 0.11 and newer: `vim.lsp.enable('lockkeeper')` instead of `require('lockkeeper').setup{}`.

return require('lockkeeper').lsp_config()
