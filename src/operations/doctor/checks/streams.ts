import type { Check } from '../check.ts'
import { count } from '../words.ts'

/** Event streams that nobody trims grow without end. */
export const streams: Check = {
  name: 'streams',
  title: 'Event streams stay below their cap',
  needs: ['redis'],
  async look(facts) {
    const names = (await facts.queues()).map(({ name }) => name)
    const { transport } = facts
    const cap = transport.streamCap
    const lengths = await transport.connections.produce('streams cannot be measured', (client) =>
      transport.audit.streamLengths(names, client)
    )
    return names.flatMap((queue, at) => {
      const length = lengths[at]
      if (length <= cap) return []
      return [
        {
          severity: 'warning' as const,
          title: `The event stream of the queue "${queue}" is longer than its cap`,
          detail: `${count(length)} entries, cap ${count(cap)}: it is cut when the next jobs are added, and lines of history that no mirror has written are lost then`,
          remedy: 'let a mirror catch up, which trims behind itself: node ace queue:mirror',
          measured: { queue, length, cap },
        },
      ]
    })
  },
}
