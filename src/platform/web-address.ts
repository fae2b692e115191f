/** The address of a page that is only shown as a link: absolute, http or https, kept as it was sent (row A12). */
import { z } from 'zod'
import { webAddressProblem } from '../environment/registered-urls.ts'

export const webAddress = z.string().superRefine((address, context) => {
  const message = webAddressProblem(address, false)
  if (message) context.addIssue({ code: 'custom', message })
})
