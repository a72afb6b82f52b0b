// libsimmim_mpi.so: sums over the processes of a run by MPI. Loaded only where a launcher has started more than one.
#include <mpi.h>

#include <climits>
#include <cstdio>

#include "parallel/wire_api.h"

namespace simmim {
namespace {

MPI_Request request = MPI_REQUEST_NULL;

MPI_Datatype type_of(WireType type) {
  const MPI_Datatype types[] = {MPI_FLOAT, MPI_DOUBLE, MPI_INT64_T, MPI_BYTE};  // in the order of WireType
  return types[static_cast<int>(type)];
}

int explain(int error, WireWhy* why) {
  if (error == MPI_SUCCESS) return 0;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(error, text, &length);
  std::snprintf(why->text, sizeof why->text, "%s", text);
  return 1;
}

int init(int* rank, int* size, WireWhy* why) {
  int given = 0;
  if (const int error = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given)) return explain(error, why);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  return explain(MPI_Comm_size(MPI_COMM_WORLD, size), why);
}

int too_many(int64_t count, WireWhy* why) {
  if (count <= INT_MAX) return 0;
  std::snprintf(why->text, sizeof why->text, "%lld elements at once", static_cast<long long>(count));
  return 1;
}

int start_broadcast(void* data, int64_t count, WireType type, WireWhy* why) {
  if (too_many(count, why)) return 1;
  return explain(MPI_Ibcast(data, static_cast<int>(count), type_of(type), 0, MPI_COMM_WORLD, &request), why);
}

int start_sum(void* data, int64_t count, WireType type, WireWhy* why) {
  if (too_many(count, why)) return 1;
  return explain(
      MPI_Iallreduce(MPI_IN_PLACE, data, static_cast<int>(count), type_of(type), MPI_SUM, MPI_COMM_WORLD, &request),
      why);
}

int done(int* flag, WireWhy* why) { return explain(MPI_Test(&request, flag, MPI_STATUS_IGNORE), why); }

int finalize(WireWhy* why) { return explain(MPI_Finalize(), why); }

}  // namespace
}  // namespace simmim

extern "C" const simmim::MpiApi* simmim_mpi_api() {
  static const simmim::MpiApi api{simmim::kWireVersion, simmim::init, simmim::start_broadcast,
                                  simmim::start_sum,    simmim::done, simmim::finalize};
  return &api;
}
