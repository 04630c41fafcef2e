/*
 * What the application's pages do with scripts: say at once what is wrong with chosen files, and keep lists true while jobs are at work.
 * Everything works without.
 */
const LARGEST = 32 * 1_048_576
const TOGETHER = 50 * 1_000_000
const EVERY = 2_500

const megabytes = (bytes) =>
  bytes < 1_048_576 ? `${Math.ceil(bytes / 1_024)} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`

function wrongWith(file, accepted) {
  if (!accepted.some((end) => file.name.toLowerCase().endsWith(end)))
    return 'cannot be read: save it as PDF, Markdown, HTML or text'
  if (file.size === 0) return 'is empty'
  return file.size > LARGEST ? 'has more than 32 MB: split it' : ''
}

for (const form of document.querySelectorAll('form[data-upload]')) {
  const input = form.querySelector('input[type="file"]')
  const chosen = form.querySelector('[data-part="chosen"]')
  const drop = form.querySelector('[data-drop]')
  const most = Number(form.dataset.upload)
  const accepted = input.accept.split(',')

  const show = () => {
    const files = [...input.files]
    const sum = files.reduce((bytes, { size }) => bytes + size, 0)
    const list = document.createElement('ul')
    list.className = 'chosen'
    let [wrong, all] = ['', '']
    for (const file of files) {
      const row = document.createElement('li')
      const [name, note] = [document.createElement('span'), document.createElement('span')]
      const problem = wrongWith(file, accepted)
      name.textContent = file.name
      name.className = 'cut'
      note.textContent = problem || megabytes(file.size)
      if (problem) {
        row.dataset.s = 'failed'
        wrong ||= `“${file.name}” ${problem}.`
      }
      row.append(name, note)
      list.append(row)
    }
    if (files.length > most)
      all = `${files.length} files are too many at once: send up to ${most}, then the next.`
    else if (sum > TOGETHER)
      all = `Together they have ${megabytes(sum)}: send fewer at once, up to 50 MB.`
    input.setCustomValidity(all || wrong)
    const told = document.createElement('p')
    told.className = 'tone'
    told.dataset.s = 'failed'
    told.textContent = all
    chosen.replaceChildren(...(files.length > 0 ? [list] : []), ...(all ? [told] : []))
  }
  input.addEventListener('change', show)

  for (const type of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    form.addEventListener(type, (event) => {
      if (![...(event.dataTransfer?.types ?? [])].includes('Files')) return
      drop.toggleAttribute('data-over', type === 'dragenter' || type === 'dragover')
      if (event.target === input) return
      event.preventDefault()
      if (type !== 'drop' || event.dataTransfer.files.length === 0) return
      input.files = event.dataTransfer.files
      show()
    })
  }
}

/* Regions that say `data-fresh` change by themselves while one of them says `data-open`: then they are asked for again. */
let timer
let asking = false

async function again() {
  if (asking || document.hidden) return later()
  asking = true
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => null)
  asking = false
  if (!answer?.ok) return later()
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  for (const region of document.querySelectorAll('[data-fresh]')) {
    const next = page.getElementById(region.id)
    if (!next || next.isEqualNode(region)) continue
    const focused = region.contains(document.activeElement) ? document.activeElement.id : ''
    const open = [...region.querySelectorAll('details')].map((one) => one.open)
    for (const [index, one] of next.querySelectorAll('details').entries())
      one.open = open[index] ?? one.open
    region.replaceWith(next)
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true })
  }
  later()
}

function later(after = EVERY) {
  clearTimeout(timer)
  if (document.querySelector('[data-open]')) timer = setTimeout(again, after)
}

document.addEventListener('job:terminal', () => {
  clearTimeout(timer)
  timer = setTimeout(again, 300)
})
document.addEventListener('visibilitychange', () => document.hidden || later(200))
later()
