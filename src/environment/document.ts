/**
 * What is stored of an environment beside its columns: platform-api 3.2 (description, icon, bill of materials). Nothing
 * of it changes how a request is decided; the products are kept because clients write them and read them back.
 */

/** The products a bill of materials may name. */
export const productTypes = [
  'PING_ONE_BASE',
  'PING_ONE_MFA',
  'PING_ONE_DAVINCI',
  'PING_ONE_ORCHESTRATE',
  'PING_ONE_RISK',
  'PING_ONE_FRAUD',
  'PING_ONE_PROVISIONING',
  'PING_DATA_SYNC',
  'PING_DATA_GOVERNANCE',
  'PING_ONE_FOR_ENTERPRISE',
  'PING_ID_SDK',
  'PING_ONE_FOR_SAAS',
  'PING_ONE_VERIFY',
  'PING_ONE_CREDENTIALS',
  'PING_ONE_AUTHORIZE',
  'PING_FEDERATE',
  'PING_ACCESS',
  'PING_DIRECTORY',
  'PING_AUTHORIZE',
  'PING_ID',
  'PING_ONE_ID',
  'PING_INTELLIGENCE',
  'PING_CENTRAL',
] as const

/** A product of an environment, as the wire has it. */
export interface Product {
  readonly id: string
  readonly type: (typeof productTypes)[number]
  readonly description?: string | undefined
  readonly console?: { readonly href: string } | undefined
  readonly tags?: readonly 'DAVINCI_MINIMAL'[] | undefined
  readonly bookmarks?: readonly { readonly name: string; readonly href: string }[] | undefined
}

/** The products of an environment. Times are epoch milliseconds. */
export interface BillOfMaterials {
  readonly solutionType?: 'WORKFORCE' | 'CUSTOMER' | 'CIAM_TRIAL' | 'WF_TRIAL'
  readonly products: readonly Product[]
  readonly createdAt: number
  readonly updatedAt: number
}

/** The `document` column of an environment. */
export interface EnvironmentDocument {
  readonly description?: string
  readonly icon?: string
  readonly billOfMaterials: BillOfMaterials
}
