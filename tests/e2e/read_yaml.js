// Reads YAML texts with the npm package `yaml` (YAML 1.2 core schema) and
// says what each is, so that a Python test can compare without losing what
// JavaScript or JSON would: integers as BigInt, doubles by their bits.
//
// stdin: a JSON array of texts; stdout: a JSON array of
//   {"error": message} or {"value": tagged}, where tagged is null, a boolean,
//   ["s", string], ["i", digits], ["f", hex of the bits], ["a", [tagged …]] or
//   ["o", [[key, tagged] …]].
'use strict'

const YAML = require('yaml')

const bits = new DataView(new ArrayBuffer(8))

function tagged(value) {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return ['s', value]
  if (typeof value === 'bigint') return ['i', value.toString()]
  if (typeof value === 'number') {
    bits.setFloat64(0, value)
    return ['f', bits.getBigUint64(0).toString(16).padStart(16, '0')]
  }
  if (Array.isArray(value)) return ['a', value.map(tagged)]
  const pairs = [...value].map(([key, item]) => {
    if (typeof key !== 'string') throw new Error(`a key is a ${typeof key}`)
    return [key, tagged(item)]
  })
  return ['o', pairs]
}

function read(text) {
  const documents = YAML.parseAllDocuments(text, {
    version: '1.2', schema: 'core', intAsBigInt: true, merge: false,
    uniqueKeys: true, strict: true, logLevel: 'silent'
  })
  if (documents.length !== 1) return { error: `${documents.length} documents` }
  const [document] = documents
  const problem = document.errors[0] || document.warnings[0]
  if (problem) return { error: problem.message.split('\n')[0] }
  try {
    return { value: tagged(document.toJS({ mapAsMap: true, maxAliasCount: -1 })) }
  } catch (error) {
    return { error: error.message }
  }
}

const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(texts.map(read)))
