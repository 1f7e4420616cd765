/**
 * Reads TypeScript sources for `tidy.test.ts`: what each file imports, which globals it uses, how
 * long its functions are.
 *
 * The compiler itself parses them and says what a name refers to, so that neither a comment nor a
 * string nor a parameter called `process` is taken for something else. Its programming interface is
 * still marked unstable; this file is all that depends on it.
 */
import { relative, sep } from 'node:path'
import {
  type CallExpression,
  type Identifier,
  type ImportDeclaration,
  type Node,
  NodeFlags,
  type PropertyAccessExpression,
  type SourceFile,
  SyntaxKind,
  type VariableStatement,
} from 'typescript/unstable/ast'
import { API, type Project, SymbolFlags } from 'typescript/unstable/sync'

/** Something found, and the line it is on. */
export interface Finding {
  readonly name: string
  readonly line: number
}

export interface SourceInfo {
  /** From the root, with slashes. */
  readonly path: string
  readonly text: string
  /** What follows `from`, and the arguments of `import()`. */
  readonly imports: readonly Finding[]
  /** Uses of the globals asked for; `new Date()` and `Date.now` by those names. */
  readonly globals: readonly Finding[]
  readonly functions: readonly (Finding & { readonly lines: number })[]
  /** Names that are declared by `let` or `var` outside of any function or class. */
  readonly topLevelVariables: readonly Finding[]
  /** Tests that do not run, or keep others from running. */
  readonly disabledTests: readonly Finding[]
}

/** Reads all files of the projects whose tsconfig.json files are given. */
export function readSources(
  projects: readonly { root: string; config: string }[],
  globalNames: ReadonlySet<string>,
): SourceInfo[][] {
  const api = new API({ cwd: projects[0]!.root })
  try {
    const snapshot = api.updateSnapshot({ openProjects: projects.map(({ config }) => config) })
    return projects.map(({ root, config }) => {
      const project = snapshot.getProject(config)
      if (project === undefined) throw new Error(`the compiler does not open ${config}`)
      return project.rootFiles.map((file) => {
        const source = project.program.getSourceFile(file)
        if (source === undefined) throw new Error(`the compiler does not parse ${file}`)
        return describeSource(root, source, project, globalNames)
      })
    })
  } finally {
    api.close()
  }
}

function describeSource(
  root: string,
  source: SourceFile,
  project: Project,
  globalNames: ReadonlySet<string>,
): SourceInfo {
  const imports: Finding[] = []
  const functions: SourceInfo['functions'][number][] = []
  const candidates: Identifier[] = []
  const disabledTests: Finding[] = []
  const line = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1
  const at = (node: Node, name: string): Finding => ({ name, line: line(node.getStart(source)) })

  const visit = (node: Node): void => {
    const specifier = importedFrom(node)
    if (specifier !== undefined) imports.push(at(node, specifier))
    if (FUNCTIONS.has(node.kind) && !isSuite(node)) {
      const start = at(node, functionName(node))
      functions.push({ ...start, lines: line(node.getEnd()) - start.line + 1 })
    }
    const disabled = disabledTest(node)
    if (disabled !== undefined) disabledTests.push(at(node, disabled))
    if (isUse(node) && globalNames.has(node.text)) candidates.push(node)
    node.forEachChild(visit)
  }
  visit(source)

  const globals = candidates.filter((node) => {
    const symbol = project.checker.resolveName(node.text, SymbolFlags.Value, node)
    return !symbol?.declarations.some(({ path }) => !path.includes('/node_modules/'))
  })
  return {
    path: relative(root, source.fileName).split(sep).join('/'),
    text: source.text,
    imports,
    globals: globals.flatMap((node) => globalUse(node).map((name) => at(node, name))),
    functions,
    topLevelVariables: topLevelVariables(source).map((node) => at(node, node.getText(source))),
    disabledTests,
  }
}

const FUNCTIONS = new Set<SyntaxKind>([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
])

/** Whether a function only gathers tests. */
function isSuite(node: Node): boolean {
  const { parent } = node
  if (parent.kind !== SyntaxKind.CallExpression) return false
  return /^(describe|suite)$/.test((parent as CallExpression).expression.getText())
}

/** The name of a function, or of what it is assigned or given to. */
function functionName(node: Node): string {
  const named = node as Node & { name?: Identifier }
  if (named.name !== undefined) return named.name.getText()
  if (node.kind === SyntaxKind.Constructor) return 'constructor'
  const parent = node.parent as Node & { name?: Node; expression?: Node; arguments?: Node[] }
  if (parent.name !== undefined) return parent.name.getText()
  if (parent.kind === SyntaxKind.CallExpression) {
    const title = parent.arguments?.find((argument) => argument.kind === SyntaxKind.StringLiteral)
    return `${parent.expression?.getText()}(${title?.getText() ?? ''})`
  }
  return 'a function'
}

function importedFrom(node: Node): string | undefined {
  if (node.kind === SyntaxKind.ImportDeclaration || node.kind === SyntaxKind.ExportDeclaration) {
    const { moduleSpecifier } = node as ImportDeclaration
    return moduleSpecifier === undefined ? undefined : (moduleSpecifier as Identifier).text
  }
  if (node.kind === SyntaxKind.CallExpression) {
    const { expression, arguments: given } = node as CallExpression
    if (expression.kind !== SyntaxKind.ImportKeyword) return undefined
    const [target] = given
    return target?.kind === SyntaxKind.StringLiteral ? (target as Identifier).text : undefined
  }
  return undefined
}

/** Whether a node is a name that stands for a value, not the name of a property or a label. */
function isUse(node: Node): node is Identifier {
  if (node.kind !== SyntaxKind.Identifier) return false
  const parent = node.parent as Node & { name?: Node; propertyName?: Node }
  if (parent.kind === SyntaxKind.ShorthandPropertyAssignment) return true
  return parent.name !== node && parent.propertyName !== node && !isTypePosition(parent)
}

function isTypePosition(parent: Node): boolean {
  return parent.kind === SyntaxKind.TypeReference || parent.kind === SyntaxKind.QualifiedName
}

/** What a global is used for. Of Date and Math only what is not pure counts. */
function globalUse(node: Identifier): string[] {
  const { parent } = node
  const property =
    parent.kind === SyntaxKind.PropertyAccessExpression
      ? (parent as PropertyAccessExpression).name.text
      : undefined
  if (node.text === 'globalThis') return property === undefined ? [] : [property]
  if (node.text === 'Math') return property === 'random' ? ['Math.random'] : []
  if (node.text !== 'Date') return [node.text]
  if (property === 'now') return ['Date.now']
  if (parent.kind === SyntaxKind.CallExpression) return ['Date()']
  const given = (parent as Node & { arguments?: readonly Node[] }).arguments
  return parent.kind === SyntaxKind.NewExpression && !given?.length ? ['new Date()'] : []
}

const TEST_FUNCTIONS = new Set(['test', 'it', 'describe', 'suite'])
const DISABLING = new Set(['skip', 'only', 'todo'])

function disabledTest(node: Node): string | undefined {
  if (node.kind !== SyntaxKind.PropertyAccessExpression) return undefined
  const { expression, name } = node as PropertyAccessExpression
  const disables = TEST_FUNCTIONS.has(expression.getText()) && DISABLING.has(name.text)
  return disables ? node.getText() : undefined
}

function topLevelVariables(source: SourceFile): Node[] {
  return source.statements.flatMap((statement) => {
    if (statement.kind !== SyntaxKind.VariableStatement) return []
    const { declarationList } = statement as VariableStatement
    if ((declarationList.flags & NodeFlags.Const) !== 0) return []
    return declarationList.declarations.map((declaration) => declaration.name)
  })
}
