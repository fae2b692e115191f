/**
 * The entry: enables the compile cache before anything else is imported, which halves the start. The scripts of
 * package.json set NODE_COMPILE_CACHE as well: this file is then cached too, and Node never loads the 17 MB that strip
 * types.
 */
import { enableCompileCache } from 'node:module'

enableCompileCache()
await import('./cli/index.ts')
