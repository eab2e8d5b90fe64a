// Where proofs of inclusion lead to, by @web3-storage/data-segment: node podsi.mjs FILE,
// FILE being what tidegate piece aggregate --proofs writes. One line a segment: root and
// height of the aggregate, or why there is none.
import { readFileSync } from 'node:fs'
import { Inclusion, Piece } from '@web3-storage/data-segment'

const bytes = (hex) => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'))
const path = ({ index, path }) => ({ offset: BigInt(index), path: path.map(bytes) })

for (const { pieceCidV2, proof } of JSON.parse(readFileSync(process.argv[2])).segments) {
  const both = Inclusion.from([path(proof.proofSubtree), path(proof.proofIndex)])
  const { ok, error } = Inclusion.resolveAggregate(both, Piece.fromString(pieceCidV2).link)
  if (ok) {
    const { root, height } = Piece.fromLink(ok)
    process.stdout.write(`${Buffer.from(root).toString('hex')} ${height}\n`)
  } else {
    process.stdout.write(`none: ${error.message}\n`)
  }
}
