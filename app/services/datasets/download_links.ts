import type { DatasetFile } from '#services/documents/artifacts'

/** A link that the page of a job shows beside its result. */
export type Link = { label: string; url: string }

/** Where the files of a dataset can be had. */
export function downloadLinks(dataset: string, files: DatasetFile[]): Link[] {
  return [
    ...files.map(({ name, examples }) => ({
      label: `${name} (${examples} ${examples === 1 ? 'example' : 'examples'})`,
      url: `/datasets/${dataset}/${encodeURIComponent(name)}`,
    })),
    { label: 'manifest.json', url: `/datasets/${dataset}/manifest.json` },
  ]
}
