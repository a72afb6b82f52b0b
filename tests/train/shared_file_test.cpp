#include "train/shared_file.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "temporary.h"

namespace simmim {
namespace {

TEST(SharedFile, IsMadeOnceHoweverManyAskForIt) {
  const Temporary folder;
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      const fs::path file = shared_file(folder / "out", "thing", {{"k", 1}}, ".txt", [&](const fs::path& path) {
        ++made;
        write_file_atomically(path, "whole");
      });
      EXPECT_EQ(read_file(file), "whole");
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
}

TEST(SharedFile, HasAnotherNameForWhatIsDeterminedOtherwise) {
  const Temporary folder;
  const auto name = [&](const Json& determined) {
    return shared_file(folder / "out", "thing", determined, ".txt",
                       [](const fs::path& path) { write_file_atomically(path, ""); });
  };
  EXPECT_EQ(name({{"a", 1}, {"b", 2}}), name({{"b", 2}, {"a", 1}}));
  EXPECT_NE(name({{"a", 1}, {"b", 2}}), name({{"a", 1}, {"b", 3}}));
}

TEST(SharedFile, IsAbsentAfterItCouldNotBeMade) {
  const Temporary folder;
  const auto ask = [&](bool works) {
    return shared_file(folder / "out", "thing", {{"k", 1}}, ".txt", [&](const fs::path& path) {
      if (!works) throw Error(Code::data, "no");
      write_file_atomically(path, "whole");
    });
  };
  EXPECT_THROW(ask(false), Error);
  EXPECT_EQ(read_file(ask(true)), "whole");
}

}  // namespace
}  // namespace simmim
