import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ProviderSettings } from '#services/provider/provider_settings'

/** How the server answers one call. */
export type Step = (response: ServerResponse, request: { messages: { content: string }[] }) => void

/** Answers as a provider does; what it says may depend on what it was asked last. */
export const says =
  (content: string | ((asked: string) => string)): Step =>
  (response, { messages }) => {
    const said = typeof content === 'string' ? content : content(messages.at(-1)!.content)
    response.end(
      JSON.stringify({
        choices: [{ message: { content: said } }],
        usage: { prompt_tokens: 100, completion_tokens: 10 },
      })
    )
  }

export const refuses =
  (status: number): Step =>
  (response) =>
    response.writeHead(status).end('no')

/**
 * A provider on this machine that answers with one step after the other, and with the last one from then on.
 */
export async function providerServer(steps: Step[]) {
  const requests: { messages: { content: string }[] }[] = []
  const server = createServer(async (incoming, response) => {
    let body = ''
    for await (const piece of incoming) body += piece
    const request = JSON.parse(body)
    requests.push(request)
    steps[Math.min(requests.length, steps.length) - 1](response, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const settings: ProviderSettings = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    key: null,
    model: 'small',
    timeout: 5_000,
    attempts: 1,
    prices: { input: 1, output: 10 },
  }
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { settings, requests, close }
}
