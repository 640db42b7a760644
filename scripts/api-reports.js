// `pnpm api` writes what each public entry exports into docs/api, so that a change of it shows in a diff. With `--check` it
// writes nothing, and fails where a report is out of date.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { buildPackages, packageFolders, root } from './pack.js';

const reports = join(root, 'docs/api');

if (process.argv[1] === import.meta.filename) {
  buildPackages();
  if (process.argv.includes('--check')) {
    const outdated = outdatedReports();
    for (const name of outdated) console.error(outdatedMessage(name));
    if (outdated.length > 0) process.exitCode = 1;
  } else {
    const current = currentReports();
    mkdirSync(reports, { recursive: true });
    for (const name of reportNames()) if (!current.has(name)) rmSync(join(reports, name));
    for (const [name, text] of current) writeFileSync(join(reports, name), text);
  }
}

/** The reports that do not say what the packages export, as they were built last. */
export function outdatedReports() {
  const current = currentReports();
  const names = new Set([...current.keys(), ...reportNames()]);
  return [...names].filter((name) => current.get(name) !== storedReport(name));
}

/** @param {string} name */
export function outdatedMessage(name) {
  return `docs/api/${name} is out of date: run npx -y pnpm@10 api, and look at the difference`;
}

function reportNames() {
  return readdirSync(reports).filter((name) => name.endsWith('.api.md'));
}

/** @param {string} name */
function storedReport(name) {
  return reportNames().includes(name) ? readFileSync(join(reports, name), 'utf8') : undefined;
}

function currentReports() {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-api-'));
  try {
    return new Map(packageFolders().flatMap((project) => reportsOf(project, folder)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} project
 * @param {string} destination
 * @returns {[name: string, report: string][]}
 */
function reportsOf(project, destination) {
  const { name, publishConfig } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  return Object.entries(publishConfig.exports).map(([key, { types }]) => {
    const file = `${(name.replace('@sallyport/', '') + key.slice(1)).replace('/', '-')}.api.md`;
    const problems = [];
    const result = Extractor.invoke(configOf(project, join(project, types), destination, file, key === '.'), {
      localBuild: true,
      messageCallback(message) {
        if (message.logLevel === 'error') problems.push(message.text);
        message.handled = true;
      },
    });
    if (!result.succeeded) throw new Error(`${name}${key.slice(1)}: ${problems.join('\n')}`);
    return [file, readFileSync(join(destination, file), 'utf8')];
  });
}

/** Without the extractor's own remarks: they hold line numbers, and docs/api would change with every line of a source. */
function configOf(project, entry, reportFolder, reportFileName, isMain) {
  const silent = { default: { logLevel: 'none' } };
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    strict: true,
    skipLibCheck: true,
    types: ['node'],
  };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: project,
      mainEntryPointFilePath: entry,
      compiler: { overrideTsconfig: { compilerOptions, files: [entry] } },
      // A type that is not exported is a part of what is, and changes it. The main entry's report shows those of the others.
      apiReport: {
        enabled: true,
        reportFolder,
        reportTempFolder: join(reportFolder, 'new'),
        reportFileName,
        includeForgottenExports: isMain,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        extractorMessageReporting: silent,
        tsdocMessageReporting: silent,
        compilerMessageReporting: { default: { logLevel: 'error' } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(project, 'package.json'),
  });
}
