/** The icon of the hosted pages: a stile, two steps over a fence. */
import { defineAsset } from './asset.ts'

export const icon = defineAsset(
  '/assets',
  'icon',
  'svg',
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="8" fill="#0f6b57"/>
<path d="M16 6v20M5 26h4v-6h5m4 0h5v6h4M9 20h4v-7h6v7h4" fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/>
</svg>
`,
)
