import { join } from 'node:path';
import { type Prepared, preparedFolder } from './prepare-folder.ts';
import { runTool } from './run-tool.ts';

const INSTALL =
  'The end-to-end tests need Java 17 or newer with its compiler, and Maven (on Debian: default-jdk-headless, maven).';

/** OpenSearch's libraries, and a program that starts a node of them. */
export const openSearch: Prepared = {
  name: 'opensearch',
  sources: ['opensearch/pom.xml', 'opensearch/OpenSearchNode.java'],
  witness: 'OpenSearchNode.class',
  async fill(folder) {
    const source = join(import.meta.dirname, 'opensearch');
    const jars = join(folder, 'jars');
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${jars}`];
    await runTool('mvn', ['-q', '-B', '-f', join(source, 'pom.xml'), ...copy], INSTALL);
    await runTool('javac', ['-cp', `${jars}/*`, '-d', folder, join(source, 'OpenSearchNode.java')], INSTALL);
  },
};

/** The command that starts a node; its arguments are a folder and two ports. */
export function openSearchCommand(): readonly string[] {
  const folder = preparedFolder(openSearch);
  return ['java', '-Xms256m', '-Xmx512m', '-cp', `${folder}:${folder}/jars/*`, 'OpenSearchNode'];
}
