/**
 * The one style sheet of the hosted pages: a calm card, light and dark. Sizes are in rem and directions are logical, so
 * that 200 % zoom, 320 px of width and right-to-left scripts need no rules of their own. WCAG 2.2 AA: text 4.5:1,
 * outlines of fields and focus 3:1, targets of at least 24 px, and nothing told by colour alone.
 */
import { defineAsset } from './asset.ts'

const light = `
  --page: #f1f3f0;
  --card: #ffffff;
  --text: #1a211e;
  --muted: #55605a;
  --line: #dde2dd;
  --field: #76817b;
  --accent: #0f6b57;
  --accent-over: #0a5243;
  --on-accent: #ffffff;
  --tint: #e4f0ec;
  --error: #b3261e;
  --error-tint: #fcefed;`

const dark = `
  --page: #111513;
  --card: #1a201d;
  --text: #e7ece9;
  --muted: #a3aea8;
  --line: #2e3632;
  --field: #7f8b85;
  --accent: #6fcfb5;
  --accent-over: #90dcc7;
  --on-accent: #06241c;
  --tint: #1f322c;
  --error: #ff9d94;
  --error-tint: #3a2321;`

export const styleSheet = defineAsset(
  '/assets',
  'stile',
  'css',
  `:root {
  color-scheme: light dark;${light}
}
@media (prefers-color-scheme: dark) {
  :root {${dark.replaceAll('\n', '\n  ')}
  }
}
*,
::before,
::after {
  box-sizing: border-box;
}
[hidden] {
  display: none !important;
}
html {
  font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  -webkit-text-size-adjust: 100%;
  text-size-adjust: 100%;
}
body {
  margin: 0;
  min-height: 100vh;
  min-height: 100svh;
  display: grid;
  place-items: center;
  padding: 2rem 1rem;
  background: var(--page);
  color: var(--text);
}
main {
  width: 100%;
  max-width: 26rem;
  padding: 2.5rem;
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 1rem;
  box-shadow: 0 1px 2px rgb(0 0 0 / 4%), 0 1rem 3rem -1rem rgb(0 0 0 / 12%);
  overflow-wrap: anywhere;
}
.wide main {
  max-width: 56rem;
}
@media (max-width: 30rem) {
  body {
    place-items: start stretch;
    padding: 0;
    background: var(--card);
  }
  main {
    padding: 2rem 1.25rem;
    border: 0;
    border-radius: 0;
    box-shadow: none;
  }
}
h1 {
  margin: 0 0 0.75rem;
  font-size: 1.75rem;
  line-height: 1.2;
  font-weight: 650;
  letter-spacing: -0.015em;
}
h2 {
  margin: 0 0 0.5rem;
  font-size: 1rem;
  line-height: 1.4;
}
form + h2 {
  margin-top: 1.5rem;
}
p {
  margin: 0 0 1rem;
}
a {
  color: var(--accent);
  text-underline-offset: 0.2em;
}
a:hover {
  color: var(--accent-over);
}
code {
  font: 0.875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
.number {
  font-size: 2.5rem;
  font-variant-numeric: tabular-nums;
  letter-spacing: 0.1em;
  text-align: center;
}

.muted {
  color: var(--muted);
}
.agreement {
  max-height: 40vh;
  overflow: auto;
  margin-bottom: 1rem;
  padding: 1rem;
  border: 1px solid var(--line);
  border-radius: 0.5rem;
}
.plain {
  white-space: pre-line;
}
.heard {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
.brand {
  display: flex;
  align-items: center;
  gap: 0.75rem;
  margin-bottom: 1.75rem;
  color: var(--muted);
}
.brand span {
  flex: none;
  display: grid;
  place-items: center;
  width: 2.5rem;
  height: 2.5rem;
  border-radius: 0.625rem;
  background: var(--tint);
  color: var(--accent);
  font-weight: 650;
  font-size: 1.125rem;
}
.brand img {
  flex: none;
  width: 2.5rem;
  height: 2.5rem;
  object-fit: contain;
}
.brand p {
  margin: 0;
}
form {
  margin: 1.5rem 0 0;
}
.field {
  margin-bottom: 1.25rem;
}
label {
  display: block;
  margin-bottom: 0.375rem;
  font-weight: 550;
}
input:not([type="checkbox"]) {
  display: block;
  width: 100%;
  min-height: 3rem;
  padding: 0.625rem 0.875rem;
  font: inherit;
  color: inherit;
  background: var(--card);
  border: 1px solid var(--field);
  border-radius: 0.625rem;
}
input:not([type="checkbox"]):hover {
  border-color: var(--text);
}
input[aria-invalid="true"]:not([type="checkbox"]) {
  border-color: var(--error);
  box-shadow: inset 0 0 0 1px var(--error);
}
.check {
  display: inline-flex;
  align-items: center;
  gap: 0.5rem;
  min-height: 1.5rem;
  margin: 0 0 1.25rem;
  font-weight: 400;
  color: var(--muted);
}
input[type="checkbox"] {
  width: 1.125rem;
  height: 1.125rem;
  margin: 0;
  accent-color: var(--accent);
}
.error {
  margin: 0.5rem 0 0;
  color: var(--error);
  font-size: 0.9375rem;
}
.caution {
  padding: 0.75rem 0.875rem;
  background: var(--tint);
  border-radius: 0.625rem;
}
.alert {
  margin: 1.25rem 0 0;
  padding: 0.75rem 0.875rem;
  color: var(--error);
  background: var(--error-tint);
  border-radius: 0.625rem;
}
.button {
  display: block;
  width: 100%;
  min-height: 3rem;
  padding: 0.75rem 1rem;
  border: 1px solid transparent;
  border-radius: 0.625rem;
  background: var(--accent);
  color: var(--on-accent);
  font: inherit;
  font-weight: 600;
  line-height: 1.375;
  text-align: center;
  text-decoration: none;
  cursor: pointer;
}
p + .button {
  margin-top: 1.5rem;
}
.button:hover {
  background: var(--accent-over);
  color: var(--on-accent);
}
.link {
  padding: 0.25rem 0;
  min-height: 1.5rem;
  border: 0;
  background: none;
  color: var(--accent);
  font: inherit;
  text-decoration: underline;
  text-underline-offset: 0.2em;
  cursor: pointer;
}
.link:hover {
  color: var(--accent-over);
}
.others {
  display: flex;
  flex-wrap: wrap;
  justify-content: space-between;
  gap: 0.5rem 1.5rem;
  margin: 1.25rem 0 0;
}
form + form {
  margin-top: 1rem;
}
:focus-visible {
  outline: 3px solid var(--accent);
  outline-offset: 2px;
}
.account {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: space-between;
  gap: 0 1rem;
  margin: 1.5rem 0 0;
  padding: 0.625rem 0.875rem;
  background: var(--page);
  border-radius: 0.625rem;
}
.account p,
.account form {
  margin: 0;
}
.account p {
  flex: 1 1 9rem;
  font-weight: 550;
}
.account p span {
  display: block;
  font-weight: 400;
  color: var(--muted);
}
.requirements {
  margin: 0 0 1.5rem;
  padding: 0.875rem 1rem;
  background: var(--page);
  border-radius: 0.625rem;
  color: var(--muted);
  font-size: 0.9375rem;
}
.requirements p {
  margin: 0 0 0.25rem;
  color: var(--text);
  font-weight: 550;
}
.requirements ul {
  margin: 0;
  padding-inline-start: 1.125rem;
}
.requirements .missed {
  color: var(--error);
}
.requirements .missed::marker {
  content: "\\2715\\00a0";
}
.granted {
  margin: 1.25rem 0 1.5rem;
  padding-inline-start: 1.125rem;
}
.granted li + li {
  margin-top: 0.375rem;
}
.binding {
  overflow-wrap: anywhere;
  font-size: 1.25rem;
  font-weight: 600;
}
.detail {
  margin: 0 0 1.5rem;
}
.facts {
  margin: 0;
  font-size: 0.9375rem;
}
.facts dt {
  color: var(--muted);
}
.facts dd {
  margin: 0 0 0.625rem;
}
.reference {
  margin: 1.5rem 0 0;
  padding-top: 1rem;
  border-top: 1px solid var(--line);
  font-size: 0.875rem;
  color: var(--muted);
}
main > details {
  margin-top: 1.5rem;
  padding-top: 1rem;
  border-top: 1px solid var(--line);
}
summary {
  min-height: 1.5rem;
  cursor: pointer;
}
main > details > summary {
  color: var(--muted);
}
main > details[open] > summary {
  margin-bottom: 0.75rem;
}
@media (forced-colors: active) {
  main,
  .account,
  .requirements,
  .caution {
  padding: 0.75rem 0.875rem;
  background: var(--tint);
  border-radius: 0.625rem;
}
.alert {
    border: 1px solid;
  }
}
`,
)
