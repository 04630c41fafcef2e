import { configPkg } from '@adonisjs/eslint-config'

export default configPkg({
  ignores: [
    '.node24/**',
    '.queuedeck/**',
    '.adonisjs/**',
    'build/**',
    'dist/**',
    'tmp/**',
    'storage/**',
    'resources/**',
    'tests/fixtures/**',
  ],
  rules: {
    // `(await thing()).member` reads well where the thing itself is not needed
    '@unicorn/no-await-expression-member': 'off',
  },
})
