import { configPkg } from '@adonisjs/eslint-config'

const OTHERS = [
  '.node24/**',
  '.queuedeck/**',
  '.adonisjs/**',
  'build/**',
  'dist/**',
  'tmp/**',
  'storage/**',
  'resources/**',
  'tests/fixtures/**',
]

export default [
  { ignores: OTHERS },
  ...configPkg({
    rules: {
      // `(await thing()).member` reads well where the thing itself is not needed
      '@unicorn/no-await-expression-member': 'off',
      // `prettier --check` looks at these files and more, once
      'prettier/prettier': 'off',
    },
  }),
]
