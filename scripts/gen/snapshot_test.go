package main

import (
	"io"
	"strings"
	"testing"
)

func TestSnapshotsShowCallsAndStorage(t *testing.T) {
	root := checkout(t, toyCode)
	put(t, root, "out/Toy.sol/Toy.json", `{"abi":[
		{"type":"function","name":"pay","inputs":[{"name":"to","type":"address"}],"outputs":[{"name":"","type":"uint256"}],"stateMutability":"payable"},
		{"type":"event","name":"Paid","inputs":[{"name":"to","type":"address","indexed":true}],"anonymous":false},
		{"type":"error","name":"Toy_No","inputs":[{"name":"why","type":"bytes32"}]},
		{"type":"receive","stateMutability":"payable"}],
		"bytecode":{"object":"`+toyCode+`"},
		"storageLayout":{"storage":[{"label":"_book","offset":0,"slot":"3","type":"t_struct(Book)77_storage"}],"types":{
			"t_struct(Book)77_storage":{"label":"struct Book","numberOfBytes":"64","members":[
				{"label":"seq","offset":8,"slot":"0","type":"t_uint64"},
				{"label":"deals","offset":0,"slot":"1","type":"t_mapping(t_uint64,t_struct(Deal)78_storage)"}]},
			"t_mapping(t_uint64,t_struct(Deal)78_storage)":{"label":"mapping(uint64 => struct Deal)","numberOfBytes":"32","key":"t_uint64","value":"t_struct(Deal)78_storage"},
			"t_struct(Deal)78_storage":{"label":"struct Deal","numberOfBytes":"32","members":[{"label":"client","offset":0,"slot":"0","type":"t_address"}]},
			"t_address":{"label":"address","numberOfBytes":"20"},
			"t_uint64":{"label":"uint64","numberOfBytes":"8"}}}}`)
	if err := run(root, false, writtenLayouts, io.Discard); err != nil {
		t.Fatal(err)
	}
	calls := read(t, root, "snapshots/abi/Toy.txt")
	for _, want := range []string{"receive\n", "function 0x0c11dedd pay(address to) payable returns(uint256)\n", "event 0x", " Paid(address indexed to)\n", " Toy_No(bytes32 why)\n"} {
		if !strings.Contains(calls, want) {
			t.Errorf("no %q in\n%s", want, calls)
		}
	}
	want := "slot offset bytes type label\n3 0 64 struct Book _book\n\nstruct Book\n0 8 8 uint64 seq\n1 0 32 mapping(uint64 => struct Deal) deals\n\nstruct Deal\n0 0 20 address client\n"
	if got := read(t, root, "snapshots/layout/Toy.txt"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// Another slot is another snapshot, and one of a contract that is no longer there is named.
	put(t, root, "snapshots/layout/Toy.txt", strings.Replace(want, "\n3 0", "\n4 0", 1))
	put(t, root, "snapshots/abi/Old.txt", "nothing to call\n")
	err := run(root, true, writtenLayouts, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "snapshots/layout/Toy.txt differs") || !strings.Contains(err.Error(), "Old.txt") {
		t.Errorf("the check says %v", err)
	}
}

func TestAnArtefactWithoutLayoutIsRefused(t *testing.T) {
	root := checkout(t, toyCode)
	put(t, root, "out/Toy.sol/Toy.json", `{"abi":`+toyABI+`,"bytecode":{"object":"`+toyCode+`"}}`)
	if err := run(root, false, writtenLayouts, io.Discard); err == nil || !strings.Contains(err.Error(), "no storage layout") {
		t.Errorf("it says %v", err)
	}
}
