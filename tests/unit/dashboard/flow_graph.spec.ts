import { test } from '@japa/runner'
import { graphView } from '../../../src/dashboard/presenters/flow_graph.ts'
import { DashboardUrls } from '../../../src/dashboard/urls.ts'

test.group('Picture of a flow', () => {
  test('names that do not fit keep what tells them apart, and are told whole', ({ assert }) => {
    const types = [
      'demo.sleep',
      'document_processing.parse',
      'document_processing.chunk',
      'dataset_generation.convert_to_csv_and_more',
      'onewordwithoutanypartsandmore',
    ]
    const nodes = types.map((type, at) => ({
      ...{ id: String(at), queue: 'documents', type, status: 'completed' as const },
    }))
    const side = { total: 0, counts: {} as never, jobs: [] }
    const whole = { total: types.length, counts: { completed: types.length } as never }
    const flow = { awaited: side, waiting: side, whole: whole as never, nodes, edges: [] }
    const graph = graphView(flow, '0', new DashboardUrls('/admin/queue'))
    assert.deepEqual(
      graph.nodes.map(({ label }) => label),
      [
        'demo.sleep',
        'document_proce…parse',
        'document_proce…chunk',
        'dataset_g…v_and_more',
        'onewordwi…rtsandmore',
      ]
    )
    assert.isTrue(graph.nodes.every(({ label }) => label.length <= 20))
    assert.equal(graph.nodes[1].name, 'document_processing.parse, completed')
  })
})
