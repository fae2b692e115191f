/** The addresses of a flow, made from its site and application: authentication-api 1.2, 2.4. */
import type { Application } from '../environment/application.ts'
import type { FlowLinks } from '../flow/view.ts'
import type { Site } from '../site.ts'

/**
 * Where a person signs on: the hosted page, or the application's own, which is told of the environment unless its custom
 * domain says it (authentication-api 2.4).
 */
export function signOnPage(site: Site, application: Application, flowId: string): string {
  const own = application.document.loginPageUrl
  if (!own) return `${site.pagesBase}/signon/?flowId=${flowId}`
  const environment = site.isCustomDomain ? '' : `environmentId=${site.environmentId}&`
  return `${own}${own.includes('?') ? '&' : '?'}${environment}flowId=${flowId}`
}

/** The links of the flow resource. */
export function flowLinks(site: Site, application: Application, flowId: string): FlowLinks {
  const self = `${site.authBase}/flows/${flowId}`
  return {
    self,
    resume: `${site.issuer}/resume?flowId=${flowId}`,
    signOnPage: signOnPage(site, application, flowId),
    step: (stepId) => `${self}/steps/${stepId}`,
    authenticate: (providerId) => `${site.authBase}/rp/authenticate?providerId=${providerId}&flowId=${flowId}`,
  }
}
