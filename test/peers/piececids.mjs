// Piece CIDs of files as @filoz/synapse-core computes them: node piececids.mjs FILE…
import { readFileSync } from 'node:fs'
import * as piece from '@filoz/synapse-core/piece'

for (const file of process.argv.slice(2)) {
  process.stdout.write(piece.calculate(readFileSync(file)).toString() + '\n')
}
