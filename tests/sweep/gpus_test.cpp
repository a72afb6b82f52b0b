#include "sweep/gpus.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "temporary.h"

namespace simmim {
namespace {

using Names = std::vector<std::string>;

class Gpus : public testing::Test {
 protected:
  // A machine whose nvidia-smi is `script`.
  Gpus() {
    folder_.write("nvidia-smi",
                  "#!/bin/sh\necho 'GPU 0: NVIDIA H100 (UUID: GPU-1)'\necho '  MIG 1g.10gb'\n"
                  "echo 'GPU 1: NVIDIA H100 (UUID: GPU-2)'\n");
    chmod((folder_ / "nvidia-smi").c_str(), 0755);
    unsetenv("CUDA_VISIBLE_DEVICES");
    setenv("PATH", ((folder_ / "").string() + ":" + path_).c_str(), 1);
  }
  ~Gpus() override {
    setenv("PATH", path_.c_str(), 1);
    unsetenv("CUDA_VISIBLE_DEVICES");
  }
  Temporary folder_;
  std::string path_ = std::getenv("PATH");
};

TEST_F(Gpus, AreThoseThatTheDriverLists) { EXPECT_EQ(visible_gpus(), (Names{"0", "1"})); }

TEST_F(Gpus, AreThoseOfTheEnvironmentIfItNamesThem) {
  setenv("CUDA_VISIBLE_DEVICES", "5, GPU-7", 1);
  EXPECT_EQ(visible_gpus(), (Names{"5", "GPU-7"}));
  setenv("CUDA_VISIBLE_DEVICES", "0,-1,2", 1);
  EXPECT_EQ(visible_gpus(), Names{"0"});
  setenv("CUDA_VISIBLE_DEVICES", "", 1);
  EXPECT_EQ(visible_gpus(), Names{});
}

TEST_F(Gpus, AreNoneWithoutADriver) {
  setenv("PATH", "/nowhere", 1);
  EXPECT_EQ(visible_gpus(), Names{});
}

}  // namespace
}  // namespace simmim
