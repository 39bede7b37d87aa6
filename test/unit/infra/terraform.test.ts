// infra/*.tf without a provider: that it is HCL, formatted, and holds together. Each check is also shown something wrong.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { options, variableOf } from '../../../lib/config/options.ts';
import {
  disabledApis,
  notWaiting,
  rolesWithoutReason,
  undefinedReferences,
  undescribed,
  unknownOptions,
  unusedDefinitions,
} from './terraform-complaints.ts';
import { expressionsOf, type TerraformModule, terraformModule, terraformValues } from './terraform-module.ts';

const folder = resolve(import.meta.dirname, '../../../infra');
const read = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
const files = read(...readdirSync(folder).filter((name) => name.endsWith('.tf')));
const infra = await terraformModule(files);
const wrong = (text: string): Promise<TerraformModule> => terraformModule({ 'wrong.tf': text });

const knownOptions = new Set(options.map(variableOf));

const fmt = spawnSync('terraform', ['fmt', '-check', '-recursive', folder], { encoding: 'utf8' });

describe('the Terraform module', () => {
  test('is read whole', () => {
    expect(Object.keys(files).length).toBeGreaterThan(8);
    expect(infra.definitions.filter(({ address }) => address.startsWith('google_')).length).toBeGreaterThan(25);
  });

  test.skipIf(fmt.error !== undefined)('is formatted as `terraform fmt` does (where terraform is installed)', () => {
    expect(fmt.stdout).toBe('');
    expect(fmt.status).toBe(0);
  });

  test('refers to nothing that is not defined', async () => {
    expect(undefinedReferences(infra)).toEqual([]);
    const module = await wrong(
      'resource "google_a" "b" { name = "x-${upper(local.c)}" }\noutput "d" { value = google_a.e.id }',
    );
    expect(undefinedReferences(module)).toEqual([
      'output.d refers to google_a.e, which is not defined',
      'google_a.b refers to local.c, which is not defined',
    ]);
  });

  test('defines no variable, local or data source that nothing uses', async () => {
    expect(unusedDefinitions(infra)).toEqual([]);
    expect(
      unusedDefinitions(await wrong('variable "a" {\n  validation { condition = var.a > 0 }\n}\nlocals { b = 1 }')),
    ).toEqual(['var.a is not used', 'local.b is not used']);
  });

  test('describes each variable and output, and gives each variable a type', async () => {
    expect(undescribed(infra)).toEqual([]);
    expect(undescribed(await wrong('variable "a" { type = string }\nvariable "b" { description = "b" }'))).toEqual([
      'var.a has no description',
      'var.b has no type',
    ]);
  });

  test('enables each API that a resource is made through', async () => {
    expect(disabledApis(infra, 'local.apis')).toEqual([]);
    const module = await wrong(
      'locals { apis = ["run.googleapis.com"] }\nresource "google_pubsub_topic" "a" {}\nresource "google_new_thing" "b" {}',
    );
    expect(disabledApis(module, 'local.apis')).toEqual([
      'google_new_thing.b is made through an API that this check does not know',
      'google_pubsub_topic.a needs pubsub.googleapis.com, which is not enabled',
    ]);
  });

  test('makes nothing before the APIs are enabled', async () => {
    expect(notWaiting(infra, 'google_project_service.apis')).toEqual([]);
    const module = await wrong(`
      resource "google_project_service" "apis" {}
      resource "google_pubsub_topic" "early" {}
      resource "google_pubsub_topic" "late" { depends_on = [google_project_service.apis] }
      resource "google_pubsub_subscription" "later" { topic = google_pubsub_topic.late.id }`);
    expect(notWaiting(module, 'google_project_service.apis')).toEqual([
      'google_pubsub_topic.early may be made before its API is enabled: nothing leads from it to google_project_service.apis',
    ]);
  });

  test('says of each role why it is granted', async () => {
    expect(rolesWithoutReason(infra)).toEqual([]);
    expect(
      Object.values(files)
        .join('')
        .match(/"roles\//g)?.length,
    ).toBeGreaterThan(10);
    const module = await wrong(
      'locals {\n  a = "roles/owner"\n  b = "roles/viewer" # to look\n  # to look\n  c = "roles/browser"\n}',
    );
    expect(rolesWithoutReason(module)).toEqual(['wrong.tf:2 grants roles/owner and does not say why']);
  });

  test('grants no basic role and no admin role', () => {
    const roles =
      Object.values(files)
        .join('')
        .match(/"roles\/[\w.]+"/g) ?? [];
    expect(roles.filter((role) => /(?:owner|editor|\/viewer)"|admin/i.test(role))).toEqual([]);
  });

  test('lets everybody call no function, and the function of tokens act as listed accounts only', () => {
    const text = Object.values(files).join('\n');
    expect(text.match(/member\w*\s*=\s*"all\w*"/g)).toBeNull();
    const creators = infra.definitions.filter(({ body }) => JSON.stringify(body).includes('TokenCreator'));
    expect(creators.map(({ address }) => address)).toEqual(['google_service_account_iam_member.tokens_impersonates']);
    expect(creators[0]?.refersTo).toContain('var.impersonated_service_accounts');
    expect(text).not.toContain('google_service_account_key');
  });

  test('sets only options that exist', () => {
    expect(unknownOptions({ ...files, ...read('terraform.tfvars.example', 'README.md') }, knownOptions)).toEqual([]);
    expect(unknownOptions({ 'a.tf': '{ MK8S_MODE = 1, MK8S_MOOD = 2 }' }, knownOptions)).toEqual([
      'a.tf sets MK8S_MOOD, which is no option of lib/config/options.ts',
    ]);
  });
});

describe('the example of terraform.tfvars', () => {
  const text = read('terraform.tfvars.example')['terraform.tfvars.example'] ?? '';

  test('sets variables that exist', async () => {
    const variables = infra.definitions.flatMap(({ address }) =>
      address.startsWith('var.') ? [address.slice(4)] : [],
    );
    const names = Object.keys(await terraformValues('example.tfvars', text));
    expect(names).toContain('project_id');
    expect(names.filter((name) => !variables.includes(name))).toEqual([]);
  });

  test('has options that mk8s accepts', async () => {
    const values = await terraformValues('example.tfvars', text);
    const env = values['options'] as Record<string, string>;
    const { config, warnings } = await loadConfig({ env, cwd: '/nowhere' });
    expect(warnings).toEqual([]);
    expect(config.resources).toContain('*.istio.io');
  });
});

describe('the reading of expressions', () => {
  test.each([
    ['plain text, var.a', ''],
    ['${var.a}-${local.b}', ' var.a  local.b '],
    ['${f("var.a ${var.b} \\" var.c", { x = var.d })}', ' f( var.b , { x = var.d }) '],
    ['${[ # not local.a\n local.b // nor local.c\n]}', ' [ \n local.b \n] '],
    ['$${var.a} is text', ''],
  ])('%s', (template, code) => {
    expect(expressionsOf(template)).toBe(code);
  });
});
