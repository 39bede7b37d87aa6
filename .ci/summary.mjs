// Prints which tests were skipped and why, then the counts as the last line. Exits non-zero where anything failed.
// Usage: node summary.mjs RESULTS.json passed|failed EXIT-CODE-OF-THE-TESTS. Runs on any Node.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const say = (line) => process.stdout.write(`${line}\n`);

const [file = '', checks = '', testsExit = ''] = process.argv.slice(2);

/** What a test file needs that may be absent: how its source shows it, and the sentence. */
const needs = [
  {
    shows: /kube-?assets|KUBEBUILDER_ASSETS|startKubeApiServer/i,
    variable: 'KUBEBUILDER_ASSETS',
    what: 'kube-apiserver and etcd',
  },
  { shows: /recordings/i, variable: 'MK8S_RECORDINGS', what: 'wire recordings of API servers' },
];

function reasonFor(path) {
  const source = readFileSync(path, 'utf8');
  const absent = needs.filter(({ shows, variable }) => shows.test(source) && !process.env[variable]);
  if (absent.length === 0) return 'see the condition in the test';
  return absent.map(({ variable, what }) => `${variable} is not set: no ${what}`).join('; ');
}

function read() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    say('The tests ended without results: they did not start, or took too long.');
    return { testResults: [], broken: true };
  }
}

const results = read();
const tests = results.testResults.flatMap(({ name, assertionResults }) =>
  assertionResults.map((test) => ({ ...test, path: name })),
);
const passed = tests.filter(({ status }) => status === 'passed').length;
const skipped = tests.filter(({ status }) => !['passed', 'failed'].includes(status));
// A file that could not be loaded has no tests to count, but it has failed.
const brokenFiles = results.testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
);
let failed = tests.filter(({ status }) => status === 'failed').length + brokenFiles.length;
for (const { name, message } of brokenFiles) say(`Failed as a whole: ${relative('.', name)}: ${message}`);
if (checks !== 'passed') {
  failed += 1;
  say('Failed: npm run check');
}
if (results.broken || (testsExit !== '0' && failed === 0)) {
  failed += 1;
  say(`Failed: npm test ended with exit code ${testsExit}`);
}

const groups = new Map();
for (const test of skipped) {
  const reason = reasonFor(test.path);
  groups.set(reason, [...(groups.get(reason) ?? []), `${relative('.', test.path)}: ${test.fullName}`]);
}
for (const [reason, names] of groups) {
  say(`Skipped (${reason}):`);
  for (const name of names) say(`  ${name}`);
}
process.exitCode = failed === 0 ? 0 : 1;
say(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
