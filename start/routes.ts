import router from '@adonisjs/core/services/router'
import { queuedeckRoutes } from '#queuedeck/routes'

const AssetsController = () => import('#controllers/assets_controller')
const ChunksController = () => import('#controllers/chunks_controller')
const DatasetsController = () => import('#controllers/datasets_controller')
const DocumentsController = () => import('#controllers/documents_controller')
const ExtractionsController = () => import('#controllers/extractions_controller')
const PipelinesController = () => import('#controllers/pipelines_controller')
const TaxonomiesController = () => import('#controllers/taxonomies_controller')

router.get('/', ({ response }) => response.redirect().toPath('/documents'))

router.get('/documents', [DocumentsController, 'index'])
router.post('/documents', [DocumentsController, 'store'])
router.get('/pipelines', [PipelinesController, 'index'])
router.post('/pipelines', [PipelinesController, 'store'])
router.get('/pipelines/new', [PipelinesController, 'create'])
router.get('/pipelines/:id', [PipelinesController, 'show'])
router.get('/chunks/:id', [ChunksController, 'show'])
router.get('/taxonomies', [TaxonomiesController, 'index'])
router.get('/taxonomies/:id', [TaxonomiesController, 'show'])
router.get('/extractions/:id', [ExtractionsController, 'show'])
router.get('/datasets', [DatasetsController, 'index'])
router.get('/datasets/:id', [DatasetsController, 'preview'])
router.post('/datasets/:id/conversions', [DatasetsController, 'convert'])
router.post('/datasets/:id/checks', [DatasetsController, 'check'])
router.get('/datasets/:id/:file', [DatasetsController, 'show'])

router.get('/app.css', [AssetsController, 'style'])
router.get('/app.js', [AssetsController, 'script'])
router.get('/app.svg', [AssetsController, 'icon'])

/** Where documents were sent before there was a page of all of them. */
router.get('/upload', ({ response }) => response.redirect().toPath('/documents'))

queuedeckRoutes(router)
