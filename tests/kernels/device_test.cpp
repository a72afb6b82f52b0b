#include "kernels/device.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "core/error.h"
#include "temporary.h"

namespace simmim {
namespace {

bool has_gpu() { return resolve_device("auto").is_cuda(); }

// The error of a device text: its code, and whether the message holds every given piece.
void expect_refused(const std::string& text, Code code, std::initializer_list<std::string> pieces) {
  try {
    resolve_device(text);
    ADD_FAILURE() << text << " was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const auto& piece : pieces)
      EXPECT_NE(std::string(error.what()).find(piece), std::string::npos) << error.what();
  }
}

TEST(Device, TheCpuIsAlwaysThere) { EXPECT_TRUE(resolve_device("cpu").is_cpu()); }

TEST(Device, AnUnknownTextIsAUsageErrorThatListsWhatIsAllowed) {
  for (const char* text : {"gpu", "", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "CPU"})
    expect_refused(text, Code::usage, {"device: got '" + std::string(text) + "'", "auto", "cuda:N"});
}

TEST(Device, AutoTakesTheCpuAndCudaIsOneClearErrorWithoutAGpu) {
  if (has_gpu()) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_TRUE(resolve_device("auto").is_cpu());
  expect_refused("cuda", Code::device, {"device: got 'cuda', but ", "use device=cpu"});
  expect_refused("cuda:1", Code::device, {"device: got 'cuda:1', but ", "use device=cpu"});
}

TEST(Device, AGpuBeyondTheLastIsAnErrorThatSaysHowManyThereAre) {
  if (!has_gpu()) GTEST_SKIP() << "no GPU here: CUDA not tested";
  EXPECT_EQ(resolve_device("cuda"), resolve_device("cuda:0"));
  expect_refused("cuda:99", Code::device, {"device: got 'cuda:99'", "GPU", "use cuda:0"});
}

TEST(Device, EachProcessOfAHostHasAGpuOfItsOwnOrIsRefused) {
  const auto gpu = [](const std::string& text, int count, int rank, int ranks) {
    Launch launch;
    launch.local_rank = rank, launch.local_size = ranks;
    return rank_gpu(text, count, launch);
  };
  EXPECT_EQ(gpu("auto", 4, 3, 4), 3);
  EXPECT_EQ(gpu("cuda", 4, 1, 2), 1);
  EXPECT_EQ(gpu("cuda:2", 4, 0, 1), 2);
  EXPECT_EQ(gpu("cuda", 1, 3, 4), 0);  // the launcher shows each process one
  EXPECT_EQ(gpu("cuda:0", 1, 3, 4), 0);
  EXPECT_EQ(error_of(Code::usage, [&] { gpu("cuda", 2, 2, 3); }),
            "device: 3 or more processes on this host have 2 GPUs, and each needs one; start 2 a host");
  EXPECT_EQ(error_of(Code::usage, [&] { gpu("cuda:1", 4, 0, 2); }),
            "device: got 'cuda:1' for 2 processes on this host, and each needs a GPU of its own; use device=cuda");
}

TEST(Device, TheInformationNamesTheProcessorAndItsMemory) {
  const auto info = device_info(at::kCPU);
  EXPECT_FALSE(info.name.empty());
  EXPECT_GT(info.memory_bytes, int64_t{1} << 28);
  EXPECT_EQ(info.fast_bf16, !info.capability.empty());
}

TEST(Device, ThePeakOfMemoryCoversABufferThatWasWritten) {
  const int64_t before = peak_memory_bytes(at::kCPU);
  std::vector<char> buffer(static_cast<size_t>(before) + (64 << 20), 1);  // resident: beyond the peak so far
  EXPECT_GE(peak_memory_bytes(at::kCPU), before + (64 << 20) + buffer[0] - 1);
}

TEST(MemoryLimit, IsTheMachinesMemoryAtMost) {
  EXPECT_GT(memory_limit(at::kCPU), 0);
  EXPECT_LE(memory_limit(at::kCPU), device_info(at::kCPU).memory_bytes);
}

TEST(MemoryLimit, OfControlGroupsIsTheLeastOnTheWayToTheRoot) {
  const Temporary folder;
  for (const char* group : {"a/b", "memory/c/d"}) make_folder(folder / group);
  const auto limit = [&](const std::string& groups) {
    return cgroup_limit(folder.write("groups", groups).string(), (folder / "").string());
  };
  EXPECT_EQ(limit("0::/a/b\n"), std::numeric_limits<int64_t>::max());
  folder.write("a/b/memory.max", "max\n");
  folder.write("a/memory.max", "3000\n");
  EXPECT_EQ(limit("0::/a/b\n"), 3000);
  folder.write("memory.max", "2000\n");  // of a container, which sees its own group as the root
  EXPECT_EQ(limit("0::/\n"), 2000);
  folder.write("memory/c/d/memory.limit_in_bytes", "1000\n");
  EXPECT_EQ(limit("9:cpu:/c\n8:memory:/c/d\n0::/a\n"), 1000);  // version 1 beside version 2
}

}  // namespace
}  // namespace simmim
