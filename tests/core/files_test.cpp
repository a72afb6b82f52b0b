#include "core/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/hash.h"
#include "temporary.h"

namespace simmim {
namespace {

size_t files_in(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(WriteFileAtomically, ReplacesTheWholeFileAndLeavesNothingElse) {
  const Temporary folder;
  write_file_atomically(folder / "f", "first, and longer");
  write_file_atomically(folder / "f", "second");
  EXPECT_EQ(read_file(folder / "f"), "second");
  EXPECT_EQ(files_in(folder / "."), 1u);
}

TEST(WriteFileAtomically, LeavesTheOldFileWhenTheWriterThrows) {
  const Temporary folder;
  write_file_atomically(folder / "f", "old");
  EXPECT_THROW(write_file_atomically(folder / "f", 3,
                                     [](const Append& append) {
                                       append("new", 3);
                                       throw std::runtime_error("no");
                                     }),
               std::runtime_error);
  EXPECT_EQ(read_file(folder / "f"), "old");
  EXPECT_EQ(files_in(folder / "."), 1u);
}

// A disk that is full after 4,096 bytes: the limit acts as ENOSPC does, once SIGXFSZ is ignored.
TEST(WriteFileAtomically, LeavesTheOldFileWhenTheDiskIsFullAndNamesThePathAndTheBytes) {
  const Temporary folder;
  write_file_atomically(folder / "f", "old");
  EXPECT_TRUE(in_child([&] {
    limit_files_to(4096);
    const std::string message =
        error_of(Code::data, [&] { write_file_atomically(folder / "f", std::string(10000, 'x')); });
    return message == (folder / "f").string() +
                          ": cannot write 10000 bytes: File too large; free some space and run the same command again";
  }));
  EXPECT_EQ(read_file(folder / "f"), "old");
  EXPECT_EQ(files_in(folder / "."), 1u);
}

TEST(WriteFileAtomically, WritesADeviceInPlace) {
  write_file_atomically("/dev/null", "gone");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_NE(error_of(Code::data, [] { write_file_atomically("/dev/full", "text"); })
                .find("/dev/full: cannot write 4 bytes: No space left"),
            std::string::npos);
}

TEST(WriteFileAtomically, NamesTheFolderThatIsMissing) {
  const Temporary folder;
  EXPECT_EQ(error_of(Code::data, [&] { write_file_atomically(folder / "no/f", "x"); }),
            (folder / "no/f").string() +
                ": cannot write 1 bytes: No such file or directory; choose a folder that can be written to");
}

TEST(MakeFolder, MakesParentsAndRefusesAFileOfThatName) {
  const Temporary folder;
  make_folder(folder / "a/b/c");
  make_folder(folder / "a/b/c");
  EXPECT_TRUE(fs::is_directory(folder / "a/b/c"));
  folder.write("f", "");
  EXPECT_NE(error_of(Code::data, [&] { make_folder(folder / "f"); }).find("cannot make this folder"),
            std::string::npos);
  EXPECT_NE(error_of(Code::data, [&] { make_folder(folder / "f/g"); }).find("cannot make this folder"),
            std::string::npos);
}

TEST(ReadFile, ReadsEmptyFilesAndFilesWithoutASize) {
  const Temporary folder;
  EXPECT_EQ(read_file(folder.write("empty", "")), "");
  EXPECT_NE(read_file("/proc/self/stat"), "");
  EXPECT_NE(error_of(Code::data, [&] { read_file(folder / "none"); }).find("none: cannot read this file: No such file"),
            std::string::npos);
  EXPECT_NE(error_of(Code::data, [&] { read_file(folder / "."); }).find("Is a directory"), std::string::npos);
}

TEST(MappedFile, ShowsTheBytesAlsoAfterItMovedAndWhenEmpty) {
  const Temporary folder;
  MappedFile first(folder.write("f", "bytes"));
  MappedFile second = std::move(first);
  EXPECT_EQ(second.bytes(), "bytes");
  second = MappedFile(folder.write("g", ""));
  EXPECT_EQ(second.bytes(), "");
  EXPECT_NE(error_of(Code::data, [&] { MappedFile(folder / "none"); }), "");
  EXPECT_NE(error_of(Code::data, [&] { MappedFile(folder / "."); }).find("Is a directory"), std::string::npos);
}

TEST(FileLock, IsHeldByOneAtATimeAndFreedWithItsObject) {
  const Temporary folder;
  const fs::path path = folder / "lock";
  EXPECT_FALSE(is_locked(path));
  EXPECT_FALSE(fs::exists(path));
  {
    const auto lock = FileLock::try_lock(path);
    ASSERT_TRUE(lock.has_value());
    EXPECT_TRUE(is_locked(path));
    EXPECT_FALSE(FileLock::try_lock(path).has_value());
    EXPECT_TRUE(in_child([&] { return is_locked(path) && !FileLock::try_lock(path).has_value(); }));
  }
  EXPECT_FALSE(is_locked(path));
  FileLock::wait_lock(path);
  EXPECT_TRUE(FileLock::try_lock(path).has_value());
}

TEST(FileLock, IsFreedWhenItsProcessIsKilled) {
  const Temporary folder;
  const fs::path path = folder / "lock";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = FileLock::try_lock(path);
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_TRUE(is_locked(path));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(is_locked(path));
  EXPECT_TRUE(FileLock::try_lock(path).has_value());
  ::close(ready[0]);
  ::close(ready[1]);
}

// With flock the one who looks would hold the lock for a moment, and a worker would lose its run to a status display.
TEST(FileLock, IsNotTakenByThoseWhoLook) {
  const Temporary folder;
  const fs::path path = folder.write("lock", "");
  int looks[2];
  ASSERT_EQ(::pipe2(looks, O_NONBLOCK), 0);
  const pid_t child = ::fork();
  if (child == 0)
    for (uint64_t count = 1;; ++count) {
      is_locked(path);
      if (count % 1000 == 0 && ::write(looks[1], "x", 1) < 0) ::_exit(1);
    }
  int lost = 0;
  for (int thousands = 0; thousands < 20;) {  // as long as it takes to look 20,000 times
    lost += !FileLock::try_lock(path).has_value();
    char byte = 0;
    thousands += ::read(looks[0], &byte, 1) == 1;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(looks[0]);
  ::close(looks[1]);
  EXPECT_EQ(lost, 0);
}

TEST(Hash, IsThatOfXxhash) {
  EXPECT_EQ(hash_hex(""), "99aa06d3014798d86001c324468d497f");  // XXH3 128 of nothing
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2u);
  EXPECT_NE(hash64("a"), hash64("a", 1));
  const Temporary folder;
  EXPECT_EQ(hash_file_hex(folder.write("f", "abc")), hash_hex("abc"));
}

}  // namespace
}  // namespace simmim
