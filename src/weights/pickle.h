// A reader of Python pickles that never executes anything: classes and calls become inert nodes that remember their
// name and arguments. Knows the opcodes of protocols 2 to 5 that torch.save and its users produce. Internal to
// weights/.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace simmim {

struct PickleNode {
  enum class Kind {
    none,
    boolean,      // integer 0 or 1
    integer,      // integer
    big_integer,  // text: the little-endian two's complement bytes of what does not fit 64 bits
    number,       // number
    text,         // text, UTF-8 as stored
    bytes,        // text
    list,         // items; tuples and sets too
    dict,         // items: key, value, key, value ...
    global,       // text: "module.name", an imported class or function, not looked up
    object,  // text: "module.name" of what was called, head: its arguments, items: SETITEMS and APPENDS, state: BUILD
    persistent,  // head: the id; torch uses it for storages
  };
  Kind kind = Kind::none;
  union {
    int64_t integer = 0;
    double number;
  };
  std::string text;
  std::vector<const PickleNode*> items;
  const PickleNode* head = nullptr;
  const PickleNode* state = nullptr;

  bool is(Kind wanted) const { return kind == wanted; }
  const PickleNode* at(std::string_view key) const;  // of a dict or an object with items: the value, or nullptr
};

class Pickle {
 public:
  // Interprets one pickle at the front of `bytes`. Code::data with `where` if it is damaged, cut off, uses an opcode
  // outside the list, or needs more than 4 million nodes (the largest real checkpoints need some ten thousand).
  Pickle(std::string_view bytes, const std::string& where);

  const PickleNode& root() const { return *root_; }
  size_t size() const { return size_; }  // bytes consumed
  // Every persistent node, in the order of appearance.
  const std::vector<const PickleNode*>& persistent() const { return persistent_; }

 private:
  friend class PickleMachine;
  std::deque<PickleNode> nodes_;  // owns; a node may refer to itself, so never walk without a bound on depth
  std::vector<const PickleNode*> persistent_;
  const PickleNode* root_ = nullptr;
  size_t size_ = 0;
};

}  // namespace simmim
