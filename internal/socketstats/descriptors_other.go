//go:build !linux

package socketstats

func eachDescriptor(int32, map[int32]bool, func(listedDescriptor)) {}

func (listedDescriptor) kind() string { return KindOther }

func (listedDescriptor) readProtocol() string { return "" }

func openDescriptors(int32) (int, bool) { return 0, false }
