// Package fevm runs our contracts on the development chain's real FEVM, from Go and in
// one process: what they cost in Filecoin's gas, and that they deploy at all.
package fevm
