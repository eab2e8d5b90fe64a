package ipfs

func childMain(string) {}
