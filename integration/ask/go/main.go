// Asks Jaeger's gRPC query API by the client that Jaeger publishes, and prints what it was told as
// one JSON object. Arguments: address, trace id (32 hex digits).
package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/jaegertracing/jaeger-idl/model/v1"
	"github.com/jaegertracing/jaeger-idl/proto-gen/api_v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
)

// codec is what gRPC's own would be, for messages that gogo/protobuf generated.
type codec struct{}

func (codec) Name() string                        { return "proto" }
func (codec) Marshal(message any) ([]byte, error) { return proto.Marshal(message.(proto.Message)) }
func (codec) Unmarshal(bytes []byte, message any) error {
	return proto.Unmarshal(bytes, message.(proto.Message))
}

type stream interface {
	Recv() (*api_v2.SpansResponseChunk, error)
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	plain := grpc.WithTransportCredentials(insecure.NewCredentials())
	conn, err := grpc.NewClient(os.Args[1], plain)
	must(err)
	gogo, err := grpc.NewClient(os.Args[1], plain, grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{})))
	must(err)
	client := api_v2.NewQueryServiceClient(gogo)
	id, err := model.TraceIDFromString(os.Args[2])
	must(err)
	told := map[string]any{}

	services, err := client.GetServices(ctx, &api_v2.GetServicesRequest{})
	must(err)
	told["services"] = services.Services

	operations, err := client.GetOperations(ctx, &api_v2.GetOperationsRequest{Service: "orders"})
	must(err)
	told["operations"] = operations.Operations

	trace, err := client.GetTrace(ctx, &api_v2.GetTraceRequest{TraceID: id})
	must(err)
	told["trace"] = spans(trace)

	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	found, err := client.FindTraces(ctx, &api_v2.FindTracesRequest{Query: &api_v2.TraceQueryParameters{
		ServiceName:   "orders",
		OperationName: "POST /orders",
		Tags:          map[string]string{"http.status_code": "500"},
		StartTimeMin:  noon.Add(-time.Hour),
		StartTimeMax:  noon.Add(time.Hour),
		DurationMin:   100 * time.Millisecond,
		DurationMax:   time.Second,
		SearchDepth:   10,
	}})
	must(err)
	told["found"] = len(spans(found))

	dependencies, err := client.GetDependencies(ctx, &api_v2.GetDependenciesRequest{
		StartTime: noon.Add(-time.Hour),
		EndTime:   noon.Add(time.Hour),
	})
	must(err)
	told["dependencies"] = dependencies.Dependencies

	_, err = client.ArchiveTrace(ctx, &api_v2.ArchiveTraceRequest{TraceID: id})
	told["archived"] = status.Code(err).String()

	missing, err := client.GetTrace(ctx, &api_v2.GetTraceRequest{TraceID: model.NewTraceID(1, 1)})
	must(err)
	_, err = missing.Recv()
	told["missing"] = status.Convert(err).Code().String() + ": " + status.Convert(err).Message()

	health, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{
		Service: "jaeger.api_v2.QueryService",
	})
	must(err)
	told["health"] = health.Status.String()
	told["reflected"] = reflected(ctx, conn)

	must(json.NewEncoder(os.Stdout).Encode(told))
}

func spans(from stream) []model.Span {
	all := []model.Span{}
	for {
		chunk, err := from.Recv()
		if err == io.EOF {
			return all
		}
		must(err)
		all = append(all, chunk.Spans...)
	}
}

func reflected(ctx context.Context, conn *grpc.ClientConn) []string {
	info, err := grpc_reflection_v1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	must(err)
	must(info.Send(&grpc_reflection_v1.ServerReflectionRequest{
		MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{},
	}))
	answer, err := info.Recv()
	must(err)
	names := []string{}
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	return names
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
