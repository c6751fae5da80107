package talos

import (
	"encoding/binary"
	"net"
	"time"

	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/resources/network"
	"golang.org/x/net/bpf"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// defaultSnapLen is gopacket's afpacket.DefaultFrameSize, which Talos takes.
	defaultSnapLen = 4096
	arpInterval    = time.Second
)

// PacketCapture streams a capture of a link in the format of libpcap. On the lab's links only the machine itself is heard: it asks once
// a second who its gateway is. Source: siderolabs/talos v1.13.9, internal/app/machined/internal/server/v1alpha1,
// v1alpha1_server.go.
func (m *machined) PacketCapture(in *machine.PacketCaptureRequest, stream grpc.ServerStreamingServer[common.Data]) error {
	_, err := safe.StateGetByID[*network.LinkStatus](stream.Context(), m.state, in.Interface)
	if state.IsNotFoundError(err) {
		return status.Errorf(codes.NotFound, "interface %q not found", in.Interface)
	}
	if err != nil {
		return err
	}
	if in.SnapLen == 0 {
		in.SnapLen = defaultSnapLen
	}
	accepts, err := filterOf(in.BpfFilter)
	if err != nil {
		return err
	}
	if err := stream.Send(&common.Data{Bytes: captureHeader(in.SnapLen)}); err != nil {
		return err
	}
	ticks := time.NewTicker(arpInterval)
	defer ticks.Stop()
	for packet := m.whoIsGateway(); ; {
		if length := min(accepts(packet), int(in.SnapLen)); length > 0 {
			if err := stream.Send(&common.Data{Bytes: captured(m.machine.disk.now(), packet, min(length, len(packet)))}); err != nil {
				return err
			}
		}
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-m.ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

// filterOf compiles a filter to a function that returns how many bytes of a packet it accepts.
func filterOf(instructions []*machine.BPFInstruction) (func(packet []byte) int, error) {
	if len(instructions) == 0 {
		return func(packet []byte) int { return len(packet) }, nil
	}
	var raw []bpf.RawInstruction
	for _, each := range instructions {
		raw = append(raw, bpf.RawInstruction{Op: uint16(each.Op), Jt: uint8(each.Jt), Jf: uint8(each.Jf), K: each.K})
	}
	decoded, _ := bpf.Disassemble(raw)
	vm, err := bpf.NewVM(decoded)
	if err != nil {
		// The kernel answers EINVAL to a filter that it does not take.
		return nil, status.Errorf(codes.Unknown, "error setting BPF filter: invalid argument")
	}
	return func(packet []byte) int {
		accepted, err := vm.Run(packet)
		if err != nil {
			return 0
		}
		return accepted
	}, nil
}

// captureHeader is the header of a capture of Ethernet frames. Source: libpcap, pcap-savefile(5).
func captureHeader(snapLen uint32) []byte {
	const magic, major, minor, ethernet = 0xa1b2c3d4, 2, 4, 1
	header := binary.LittleEndian.AppendUint32(nil, magic)
	header = binary.LittleEndian.AppendUint16(header, major)
	header = binary.LittleEndian.AppendUint16(header, minor)
	header = append(header, make([]byte, 8)...)
	header = binary.LittleEndian.AppendUint32(header, snapLen)
	return binary.LittleEndian.AppendUint32(header, ethernet)
}

// captured is a record of a capture, with the first bytes of a packet.
func captured(at time.Time, packet []byte, length int) []byte {
	record := binary.LittleEndian.AppendUint32(nil, uint32(at.Unix()))
	record = binary.LittleEndian.AppendUint32(record, uint32(at.Nanosecond()/1000))
	record = binary.LittleEndian.AppendUint32(record, uint32(length))
	record = binary.LittleEndian.AppendUint32(record, uint32(len(packet)))
	return append(record, packet[:length]...)
}

// whoIsGateway is the machine's ARP request for its gateway's address, in an Ethernet frame. Source: RFC 826.
func (b *boot) whoIsGateway() []byte {
	sender, _ := net.ParseMAC(b.machine.spec.MAC)
	if len(sender) != 6 {
		sender = make([]byte, 6)
	}
	address := b.machine.address.As4()
	gateway := b.gateway().As4()
	frame := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, sender...)
	frame = append(frame, 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1)
	frame = append(append(frame, sender...), address[:]...)
	frame = append(append(frame, make([]byte, 6)...), gateway[:]...)
	return append(frame, make([]byte, 60-len(frame))...)
}
