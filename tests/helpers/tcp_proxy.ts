import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/**
 * A way to a server that can be interrupted as networks are: connections stay, and nothing passes in either direction until it heals.
 */
export class TcpProxy {
  #server: Server
  #sockets = new Set<Socket>()
  #isCut = false
  #losesAnswerTo: string | undefined

  private constructor(private target: { host: string; port: number }) {
    this.#server = createServer((client) => this.#join(client))
  }

  static async to(target: { host: string; port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  cut(): void {
    this.#isCut = true
    this.#sockets.forEach((socket) => socket.pause())
  }

  heal(): void {
    this.#isCut = false
    this.#sockets.forEach((socket) => socket.resume())
  }

  /** Passes on the next thing that has this text in it, and ends its connection in place of the answer. */
  loseAnswerTo(text: string): void {
    this.#losesAnswerTo = text
  }

  /** Whether what `loseAnswerTo` asked for has happened. */
  get hasLostAnswer(): boolean {
    return this.#losesAnswerTo === undefined
  }

  async close(): Promise<void> {
    this.#sockets.forEach((socket) => socket.destroy())
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(client: Socket): void {
    const server = connect(this.target)
    let isAnswerLost = false
    for (const [from, to] of [
      [client, server],
      [server, client],
    ]) {
      this.#sockets.add(from)
      from.on('data', (data) => {
        if (from === server && isAnswerLost) client.destroy()
        else to.write(data)
        if (from === client && this.#losesAnswerTo && data.includes(this.#losesAnswerTo)) {
          this.#losesAnswerTo = undefined
          isAnswerLost = true
        }
      })
      from.on('error', () => to.destroy())
      from.once('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#isCut) from.pause()
    }
  }
}
