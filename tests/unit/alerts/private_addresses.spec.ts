import { test } from '@japa/runner'
import { isPrivateAddress } from '../../../src/alerts/private_addresses.ts'
import { mailTexts } from '../../../src/alerts/mail.ts'

const PRIVATE = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:0a00:0001',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
]

const PUBLIC = ['1.1.1.1', '172.32.0.1', '100.128.0.1', '::ffff:8.8.8.8', '64:ff9b::808:808']

test.group('Addresses of webhooks', () => {
  test('that are private: {$self}')
    .with(PRIVATE)
    .run(({ assert }, address) => assert.isTrue(isPrivateAddress(address)))

  test('that are public: {$self}')
    .with([...PUBLIC, '2606:4700:4700::1111', '2a00:1450:4001::200e'])
    .run(({ assert }, address) => assert.isFalse(isPrivateAddress(address)))
})

test.group('Mails about alerts', () => {
  test('show hostile names as text, one line each', ({ assert }) => {
    const alert = {
      title: 'No worker for a queue',
      subject: 'a\r\nBcc: all@example.com <script>alert("1")</script>',
      text: `3 jobs wait in queue "<img src=x onerror='y'>"\nSince: never`,
      remedy: 'Start a worker',
      openedAt: 0,
      clearedAt: null,
    }
    const { subject, text, html } = mailTexts('opened', alert as never, 'alert-1')
    assert.notMatch(subject, /[\r\n]/)
    assert.lengthOf(text.trimEnd().split('\n'), 4)
    assert.notMatch(html, /<(script|img)/)
    assert.include(html, '&lt;img src=x onerror=&#39;y&#39;&gt;')
    const long = mailTexts(
      'cleared',
      { ...alert, subject: 'x'.repeat(900), clearedAt: 1 } as never,
      ''
    )
    assert.isAtMost(long.subject.length, 200)
    assert.notInclude(long.text, 'Start a worker')
  })
})
