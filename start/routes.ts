import router from '@adonisjs/core/services/router'

router.on('/').redirect('/admin/queue')
