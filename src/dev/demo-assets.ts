/** What the pages of the demo application load beside the common style sheet. Served in dev mode only. */
import { defineAsset } from '../pages/asset.ts'

export const demoStyle = defineAsset(
  '/dev/assets',
  'demo',
  'css',
  `section {
  margin-top: 2rem;
  padding-top: 1.5rem;
  border-top: 1px solid var(--line);
}
h2 {
  font-size: 1.25rem;
}
h3 {
  margin: 1.25rem 0 0.5rem;
  font-size: 1rem;
}
.explained {
  display: grid;
  grid-template-columns: minmax(8rem, max-content) minmax(0, 1fr);
  gap: 0 1.5rem;
  margin: 0 0 1rem;
}
.explained > div {
  display: grid;
  grid-template-columns: subgrid;
  grid-column: 1 / -1;
  padding: 0.5rem 0;
  border-top: 1px solid var(--line);
}
.explained > div:first-child {
  border-top: 0;
}
.explained dt {
  font: 600 0.875rem/1.7 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
.explained dd {
  grid-column: 2;
  margin: 0;
}
.explained dd + dd {
  color: var(--muted);
  font-size: 0.9375rem;
}
.checks {
  margin: 0;
  padding: 0;
  list-style: none;
}
.checks li {
  padding-block: 0.25rem;
}
.checks strong {
  display: inline-block;
  min-width: 2.75rem;
  color: var(--accent);
}
.checks .bad strong {
  color: var(--error);
}
.ways {
  display: flex;
  flex-wrap: wrap;
  gap: 0.25rem 1.5rem;
  margin: 0;
  padding: 0;
  list-style: none;
}
.ways a {
  display: inline-block;
  padding-block: 0.25rem;
}
@media (max-width: 40rem) {
  .explained {
    grid-template-columns: minmax(0, 1fr);
  }
  .explained dd {
    grid-column: 1;
  }
}
`,
)

/** Hands the fragment, which browsers keep to themselves, to the application's server, and takes it out of the address. */
export const fragmentScript = defineAsset(
  '/dev/assets',
  'fragment',
  'js',
  `const form = document.forms[0]
for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
  const input = document.createElement('input')
  input.type = 'hidden'
  input.name = name
  input.value = value
  form.append(input)
}
if (form.elements.length > 0) {
  history.replaceState(null, '', location.pathname)
  HTMLFormElement.prototype.submit.call(form)
}
`,
)
