/** The command line: one command per file, loaded when it is called. Documented exit codes: `exit-codes.ts`. */
import { defineCommand, runMain } from 'citty'

const main = defineCommand({
  meta: { name: 'stile', description: "An identity server: PingOne's Authentication API, self-hosted." },
  subCommands: {
    dev: () => import('./dev.ts').then((module) => module.dev),
    serve: () => import('./serve.ts').then((module) => module.serve),
    migrate: () => import('./migrate.ts').then((module) => module.migrateCommand),
    inbox: () => import('./inbox.ts').then((module) => module.inbox),
    token: () => import('./token.ts').then((module) => module.token),
  },
})

await runMain(main)
