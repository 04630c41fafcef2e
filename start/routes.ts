import router from '@adonisjs/core/services/router'
import { queuedeckRoutes } from '#queuedeck/routes'

const DatasetsController = () => import('#controllers/datasets_controller')
const UploadsController = () => import('#controllers/uploads_controller')

router.get('/', ({ response }) => response.redirect().toPath('/admin/queue'))

router.get('/upload', [UploadsController, 'create'])
router.post('/upload', [UploadsController, 'store'])
router.get('/upload/:id', [UploadsController, 'show'])
router.get('/upload.css', [UploadsController, 'style'])
router.get('/upload.svg', [UploadsController, 'icon'])
router.get('/datasets/:id/:file', [DatasetsController, 'show'])

queuedeckRoutes(router)
