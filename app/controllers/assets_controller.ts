import { readFile } from 'node:fs/promises'
import app from '@adonisjs/core/services/app'
import type { HttpContext } from '@adonisjs/core/http'

let style: Promise<string> | undefined
let script: Promise<string> | undefined

/**
 * Styles and scripts of the application's pages. Their look is the dashboard's: its style comes first, what only these pages have behind.
 * What keeps typed fields is the dashboard's too.
 */
export default class AssetsController {
  async style({ response }: HttpContext) {
    style ??= bundled()
    response.header('content-type', 'text/css; charset=utf-8')
    response.header('cache-control', 'private, no-cache')
    return response.send(await style, true)
  }

  async script({ response }: HttpContext) {
    script ??= joined([
      app.makePath('resources/assets/js/typed.js'),
      app.makePath('app/assets/app.js'),
    ])
    response.header('content-type', 'text/javascript; charset=utf-8')
    response.header('cache-control', 'private, no-cache')
    return response.send(await script, true)
  }

  async icon({ response }: HttpContext) {
    response.header('cache-control', 'private, max-age=300')
    return response.download(app.makePath('resources/assets/icon.svg'))
  }
}

async function bundled(): Promise<string> {
  const folder = app.makePath('resources/assets')
  const bundles = JSON.parse(await readFile(`${folder}/bundles.json`, 'utf8')) as Record<
    string,
    string[]
  >
  const files = [
    ...bundles['queuedeck.css'].map((file) => `${folder}/${file}`),
    ...['app.css', 'results.css'].map((file) => app.makePath('app/assets', file)),
  ]
  return joined(files)
}

async function joined(files: string[]): Promise<string> {
  return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n')
}
