#include "core/site.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "temporary.h"

namespace simmim {
namespace {

class SiteFile : public testing::Test {
 protected:
  SiteFile() {
    make_folder(folder_ / "simmim");
    if (const char* before = std::getenv("XDG_CONFIG_HOME")) before_ = before;
    setenv("XDG_CONFIG_HOME", (folder_ / "").c_str(), 1);
  }
  ~SiteFile() override {
    if (before_.empty())
      unsetenv("XDG_CONFIG_HOME");
    else
      setenv("XDG_CONFIG_HOME", before_.c_str(), 1);
  }
  Temporary folder_;
  std::string before_;
};

TEST_F(SiteFile, IsNotNeeded) {
  EXPECT_EQ(read_site().data, "");
  EXPECT_TRUE(read_site().slurm.empty());
}

TEST_F(SiteFile, TellsTheDataFolderAndTheResourcesOfTheCluster) {
  folder_.write("simmim/site.json", R"({"data": "/scratch", "slurm": {"partition": "gpu"}})");
  EXPECT_EQ(read_site().data, "/scratch");
  EXPECT_EQ(read_site().slurm["partition"], "gpu");
}

TEST_F(SiteFile, IsNamedWhereItIsWrong) {
  for (const char* text : {R"({"dat": "/scratch"})", R"({"data": 3})", R"({"slurm": "gpu"})", "{"}) {
    folder_.write("simmim/site.json", text);
    EXPECT_NE(error_of(Code::usage, [] { read_site(); }).find("simmim/site.json"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace simmim
