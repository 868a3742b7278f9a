// The Update stream in grpc-go, the bench's peer: a source that sends rows of ten mixed columns and a client that reads
// them, in two processes. The rows are those of our own bench: 100 to a Records message, decoded in full by the client.
//
//	stream server SOCKET ROWS
//	stream client SOCKET
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "weir/bench/stream/pb"
)

type source struct {
	pb.UnimplementedSourceConnectorServer
	rows int64
}

func value(v *pb.ValueType) *pb.ValueType { return v }

func row(id int64) *pb.Record {
	at := &timestamppb.Timestamp{Seconds: 1700000000 + id, Nanos: int32(id%1000) * 1000000}
	return &pb.Record{
		TableName: "orders",
		Type:      pb.RecordType_UPSERT,
		Data: map[string]*pb.ValueType{
			"id":          value(&pb.ValueType{Inner: &pb.ValueType_Long{Long: id}}),
			"customer_id": value(&pb.ValueType{Inner: &pb.ValueType_Int{Int: int32(id % 100000)}}),
			"status":      value(&pb.ValueType{Inner: &pb.ValueType_String_{String_: "shipped"}}),
			"amount":      value(&pb.ValueType{Inner: &pb.ValueType_Decimal{Decimal: "12345.67"}}),
			"discount":    value(&pb.ValueType{Inner: &pb.ValueType_Double{Double: float64(id) * 0.125}}),
			"express":     value(&pb.ValueType{Inner: &pb.ValueType_Bool{Bool: id%2 == 0}}),
			"ordered_at":  value(&pb.ValueType{Inner: &pb.ValueType_UtcDatetime{UtcDatetime: at}}),
			"ship_date":   value(&pb.ValueType{Inner: &pb.ValueType_NaiveDate{NaiveDate: at}}),
			"note":        value(&pb.ValueType{Inner: &pb.ValueType_String_{String_: "please leave it at the door of number 42"}}),
			"region":      value(&pb.ValueType{Inner: &pb.ValueType_Null{Null: true}}),
		},
	}
}

func (s *source) Update(_ *pb.UpdateRequest, stream pb.SourceConnector_UpdateServer) error {
	for id := int64(0); id < s.rows; {
		batch := make([]*pb.Record, 0, 100)
		for ; len(batch) < 100 && id < s.rows; id++ {
			batch = append(batch, row(id))
		}
		message := &pb.UpdateResponse{Operation: &pb.UpdateResponse_Records{Records: &pb.Records{Records: batch}}}
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	return nil
}

func serve(socket string, rows int64) {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterSourceConnectorServer(server, &source{rows: rows})
	log.Fatal(server.Serve(listener))
}

func read(socket string) {
	connection, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(128<<20)))
	if err != nil {
		log.Fatal(err)
	}
	began := time.Now()
	stream, err := pb.NewSourceConnectorClient(connection).Update(context.Background(), &pb.UpdateRequest{},
		grpc.WaitForReady(true))
	if err != nil {
		log.Fatal(err)
	}
	rows, cells := 0, 0
	for {
		message, err := stream.Recv()
		if err != nil {
			break
		}
		for _, record := range message.GetRecords().GetRecords() {
			rows++
			cells += len(record.Data)
		}
	}
	seconds := time.Since(began).Seconds()
	fmt.Printf("%d %d %.0f\n", rows, cells, float64(rows)/seconds)
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "server" {
		rows, err := strconv.ParseInt(os.Args[3], 10, 64)
		if err != nil {
			log.Fatal(err)
		}
		serve(os.Args[2], rows)
	} else if len(os.Args) == 3 && os.Args[1] == "client" {
		read(os.Args[2])
	} else {
		log.Fatal("usage: stream server SOCKET ROWS | stream client SOCKET")
	}
}
