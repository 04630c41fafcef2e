import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { HttpContext } from '@adonisjs/core/http'
import type { PartHandler } from '@adonisjs/core/types/bodyparser'
import type { NextFn } from '@adonisjs/core/types/http'

/** The only address that takes files; elsewhere they are not even read. */
const TAKES_FILES = '/documents'

/**
 * Names of fields for which the framework would find a handler that nobody registered: it looks them up in an object, by the name that
 * a visitor gave, and a property that each object has would end the process. Setting `__proto__` adds the two of a handler.
 */
const INHERITED = [...Object.getOwnPropertyNames(Object.prototype), 'handler', 'options']

/**
 * Keeps the files of a request in a folder of its own, until the request has ended, however it ended: those that were refused or came
 * in part are removed with the others.
 */
export default class UploadsMiddleware {
  async handle(ctx: HttpContext, next: NextFn) {
    const { multipart, bodyType } = ctx.request
    if (bodyType !== 'multipart' || ctx.route?.pattern !== TAKES_FILES) return next()
    const folder = await mkdtemp(join(tmpdir(), 'upload-'))
    let files = 0
    const keep: PartHandler = async (part, report) => {
      const tmpPath = join(folder, String(++files))
      part.on('data', report)
      try {
        await pipeline(part, createWriteStream(tmpPath))
      } catch (error) {
        multipart.abort(error)
      }
      return { tmpPath }
    }
    for (const name of ['*', ...INHERITED]) {
      multipart.onFile(name, { deferValidations: true }, keep)
    }
    const incoming = ctx.request.request
    const left = () => incoming.destroyed && !incoming.complete
    try {
      // The parser would wait for ever for the end of a request whose visitor has left already.
      if (left()) return
      await multipart.process()
      return await next()
    } catch (error) {
      if (!left()) throw error
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}
