/**
 * Installs the clients of Python, Node and Rust, each with its packages at pinned versions, in
 * folders of their own below `.cache`.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { paths, pythonClients, pythonEnvironment } from './harness/paths.ts'
import type { Tool } from './install.ts'
import { answers, digestOf, installPackages, make } from './install-steps.ts'

/** One virtual environment per client, as two versions of one library cannot share any. */
export async function python(): Promise<Tool> {
  const canMake = async (): Promise<boolean> =>
    (await answers('python3', '-c', 'import venv, ensurepip')) !== undefined
  let problem: string | undefined
  if (!(await canMake())) problem = await installPackages('python3', 'python3-venv')
  const version = (await answers('python3', '--version'))?.trim()
  if (version === undefined || !(await canMake())) {
    return { name: 'python', missing: problem ?? 'python3 with its venv module is needed' }
  }
  for (const client of pythonClients) {
    const requirements = join(paths.pythonSources, `requirements-${client}.txt`)
    const environment = pythonEnvironment(client)
    const pip = ['-m', 'pip', '-q', '--disable-pip-version-check', 'install', '--no-deps']
    problem = await make(`python-${client}`, digestOf([requirements], version), [
      ['python3', ['-m', 'venv', '--clear', environment], paths.interop],
      [join(environment, 'bin/python'), [...pip, '-r', requirements], paths.interop],
    ])
    if (problem !== undefined) return { name: 'python', missing: `${client}: ${problem}` }
  }
  return { name: 'python', found: `${version}, ${pythonClients.join(', ')}` }
}

/** The programs are copied beside their packages, where Node looks for those. */
export async function nodeClients(): Promise<Tool> {
  mkdirSync(paths.nodeClients, { recursive: true })
  for (const name of readdirSync(paths.nodeSources)) {
    copyFileSync(join(paths.nodeSources, name), join(paths.nodeClients, name))
  }
  const lists = ['package.json', 'package-lock.json'].map((name) => join(paths.nodeSources, name))
  const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const problem = await make('node', digestOf(lists), [['npm', install, paths.nodeClients]])
  if (problem !== undefined) return { name: 'node', missing: problem }
  const { dependencies } = JSON.parse(readFileSync(lists[0] ?? '', 'utf8'))
  const found = ['kafkajs', '@platformatic/kafka'].map((name) => `${name} ${dependencies[name]}`)
  return { name: 'node', found: found.join(', ') }
}

/** The Rust client brings librdkafka's sources along, so a C compiler is needed, too. */
export async function rust(): Promise<Tool> {
  const version = await answers('cargo', '--version')
  // Debian's own Rust is too old for the crates, so there is nothing to install here.
  if (version === undefined) return { name: 'rust', missing: 'install Rust 1.85 or later' }
  let problem: string | undefined
  if ((await answers('cc', '--version')) === undefined) {
    problem = await installPackages('build-essential')
    if (problem !== undefined) return { name: 'rust', missing: problem }
  }
  const sources = readdirSync(join(paths.rustSources, 'src'))
    .map((name) => join(paths.rustSources, 'src', name))
    .concat(['Cargo.toml', 'Cargo.lock'].map((name) => join(paths.rustSources, name)))
  const build = ['build', '-q', '--locked', '--target-dir', paths.rustTarget]
  problem = await make('rust', digestOf(sources, version), [['cargo', build, paths.rustSources]])
  if (problem !== undefined) return { name: 'rust', missing: problem }
  const crate = /^rdkafka = .*?"=?([\d.]+)"/m.exec(readFileSync(sources.at(-2) ?? '', 'utf8'))?.[1]
  return { name: 'rust', found: `${version.trim().split(' ')[1]}, rdkafka ${crate}` }
}
