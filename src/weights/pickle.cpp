#include "weights/pickle.h"

#include <bit>
#include <cstring>
#include <unordered_map>

#include "core/error.h"
#include "weights/bytes.h"

namespace simmim {

using Kind = PickleNode::Kind;

const PickleNode* PickleNode::at(std::string_view key) const {
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    if (items[i]->is(Kind::text) && items[i]->text == key) return items[i + 1];
  return nullptr;
}

// The stack machine. The stack holds nodes, `marks_` the heights at which MARKs lie.
class PickleMachine {
 public:
  PickleMachine(std::string_view bytes, const std::string& where, Pickle& out)
      : where_(where), out_(out), reader_(bytes, Short{this}) {}

  void run() {
    for (;;) {
      const auto opcode = reader_.number<unsigned char>();
      if (opcode == '.') break;
      step(opcode);
    }
    out_.root_ = pop();
    out_.size_ = reader_.position();
  }

 private:
  static constexpr size_t kMaxNodes = 4'000'000, kMaxName = 1'000;

  struct Short {
    PickleMachine* machine;
    void operator()() const { machine->refuse("it ends in the middle of an object"); }
  };

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(Code::data, "{}: damaged or unusual checkpoint: {}; save or download it again", where_,
         fmt::format(format, std::forward<Args>(args)...));
  }

  PickleNode* push(Kind kind) {
    if (out_.nodes_.size() >= kMaxNodes) refuse("more than {} objects", kMaxNodes);
    PickleNode* node = &out_.nodes_.emplace_back();
    node->kind = kind;
    stack_.push_back(node);
    return node;
  }
  void push_integer(int64_t value, Kind kind = Kind::integer) { push(kind)->integer = value; }
  void push_text(Kind kind, std::string_view text) { push(kind)->text = text; }

  PickleNode* top() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) refuse("an operation lacks its operand");
    return stack_.back();
  }
  PickleNode* pop() {
    PickleNode* node = top();
    stack_.pop_back();
    return node;
  }
  // The nodes above the last MARK, which is removed with them.
  std::vector<const PickleNode*> pop_to_mark() {
    if (marks_.empty()) refuse("an operation lacks its MARK");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<const PickleNode*> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  std::vector<const PickleNode*> pop_some(size_t count) {
    std::vector<const PickleNode*> items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    return items;
  }

  void push_list(std::vector<const PickleNode*> items) { push(Kind::list)->items = std::move(items); }
  void append(std::vector<const PickleNode*> items, bool pairs) {
    PickleNode* target = top();
    if (!target->is(Kind::object) && !target->is(pairs ? Kind::dict : Kind::list))
      refuse("items are added to something that holds none");
    if (pairs && items.size() % 2 != 0) refuse("a key without a value");
    target->items.insert(target->items.end(), items.begin(), items.end());
  }
  // REDUCE and NEWOBJ: the call is remembered, not made.
  void push_call() {
    const PickleNode* arguments = pop();
    const PickleNode* callee = pop();
    PickleNode* node = push(Kind::object);
    if (callee->is(Kind::global)) node->text = callee->text;
    node->head = arguments;
  }
  void push_global(std::string_view module, std::string_view name) {
    if (module.size() + name.size() > kMaxName) refuse("a class name of {} bytes", module.size() + name.size());
    push_text(Kind::global, fmt::format("{}.{}", module, name));
  }
  // Little-endian two's complement of any length.
  void push_long(uint64_t size) {
    const std::string_view bytes = reader_.take(size);
    if (size > 8) return push_text(Kind::big_integer, bytes);
    uint64_t value = size > 0 && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    std::memcpy(&value, bytes.data(), size);
    push_integer(static_cast<int64_t>(value));
  }

  void remember(uint64_t index) { memo_[index] = top(); }
  void recall(uint64_t index) {
    const auto it = memo_.find(index);
    if (it == memo_.end()) refuse("it refers to an object that does not exist");
    if (stack_.size() >= kMaxNodes) refuse("more than {} objects", kMaxNodes);
    stack_.push_back(it->second);
  }

  void step(unsigned char opcode) {
    switch (opcode) {
      case 0x80:
        return reader_.skip(1);  // PROTO
      case 0x95:
        return reader_.skip(8);  // FRAME
      case '(':
        return mark();  // MARK
      case '0':
        return drop();  // POP
      case '1':
        return static_cast<void>(pop_to_mark());  // POP_MARK
      case '2':
        return stack_.push_back(top());  // DUP
      case 'N':
        return static_cast<void>(push(Kind::none));  // NONE
      case 0x88:
        return push_integer(1, Kind::boolean);  // NEWTRUE
      case 0x89:
        return push_integer(0, Kind::boolean);  // NEWFALSE
      case 'J':
        return push_integer(reader_.number<int32_t>());  // BININT
      case 'K':
        return push_integer(reader_.number<uint8_t>());  // BININT1
      case 'M':
        return push_integer(reader_.number<uint16_t>());  // BININT2
      case 0x8a:
        return push_long(reader_.number<uint8_t>());  // LONG1
      case 0x8b:
        return push_long(reader_.number<uint32_t>());  // LONG4
      case 'G':
        return push_float();  // BINFLOAT
      case 'U':
        return push_text(Kind::text, reader_.take(reader_.number<uint8_t>()));  // SHORT_BINSTRING
      case 'T':
        return push_text(Kind::text, reader_.take(reader_.number<uint32_t>()));  // BINSTRING
      case 0x8c:
        return push_text(Kind::text, reader_.take(reader_.number<uint8_t>()));  // SHORT_BINUNICODE
      case 'X':
        return push_text(Kind::text, reader_.take(reader_.number<uint32_t>()));  // BINUNICODE
      case 0x8d:
        return push_text(Kind::text, reader_.take(reader_.number<uint64_t>()));  // BINUNICODE8
      case 'C':
        return push_text(Kind::bytes, reader_.take(reader_.number<uint8_t>()));  // SHORT_BINBYTES
      case 'B':
        return push_text(Kind::bytes, reader_.take(reader_.number<uint32_t>()));  // BINBYTES
      case 0x8e:                                                                  // BINBYTES8
      case 0x96:
        return push_text(Kind::bytes, reader_.take(reader_.number<uint64_t>()));  // BYTEARRAY8
      case ']':                                                                   // EMPTY_LIST
      case ')':                                                                   // EMPTY_TUPLE
      case 0x8f:
        return push_list({});  // EMPTY_SET
      case 0x85:
        return push_list(pop_some(1));  // TUPLE1
      case 0x86:
        return push_list(pop_some(2));  // TUPLE2
      case 0x87:
        return push_list(pop_some(3));  // TUPLE3
      case 't':                         // TUPLE
      case 0x91:
        return push_list(pop_to_mark());  // FROZENSET
      case '}':
        return static_cast<void>(push(Kind::dict));  // EMPTY_DICT
      case 'a':
        return append(pop_some(1), false);  // APPEND
      case 'e':                             // APPENDS
      case 0x90:
        return append(pop_to_mark(), false);  // ADDITEMS
      case 's':
        return append(pop_some(2), true);  // SETITEM
      case 'u':
        return append(pop_to_mark(), true);  // SETITEMS
      case 'c':
        return push_named_global();  // GLOBAL
      case 0x93:
        return push_stack_global();  // STACK_GLOBAL
      case 'R':                      // REDUCE
      case 0x81:
        return push_call();  // NEWOBJ
      case 0x92:
        pop();
        return push_call();  // NEWOBJ_EX: keyword arguments are dropped
      case 'b':
        return build();  // BUILD
      case 'Q':
        return push_persistent();  // BINPERSID
      case 'q':
        return remember(reader_.number<uint8_t>());  // BINPUT
      case 'r':
        return remember(reader_.number<uint32_t>());  // LONG_BINPUT
      case 0x94:
        return remember(memo_.size());  // MEMOIZE
      case 'h':
        return recall(reader_.number<uint8_t>());  // BINGET
      case 'j':
        return recall(reader_.number<uint32_t>());  // LONG_BINGET
      default:
        refuse("the pickle operation 0x{:02x} at byte {} is not one that torch.save writes", opcode,
               reader_.position() - 1);
    }
  }

  void mark() {
    if (marks_.size() >= kMaxNodes) refuse("more than {} objects", kMaxNodes);
    marks_.push_back(stack_.size());
  }
  void drop() {  // Python's POP removes a MARK that lies on top
    if (!marks_.empty() && marks_.back() == stack_.size())
      marks_.pop_back();
    else
      pop();
  }
  void push_float() {  // big endian
    push(Kind::number)->number = std::bit_cast<double>(__builtin_bswap64(reader_.number<uint64_t>()));
  }
  void push_named_global() {
    const std::string_view module = reader_.line(), name = reader_.line();
    push_global(module, name);
  }
  void push_stack_global() {
    const PickleNode *name = pop(), *module = pop();
    push_global(module->text, name->text);
  }
  void build() {
    const PickleNode* state = pop();
    top()->state = state;
  }
  void push_persistent() {
    const PickleNode* id = pop();
    PickleNode* node = push(Kind::persistent);
    node->head = id;
    out_.persistent_.push_back(node);
  }

  const std::string& where_;
  Pickle& out_;
  ByteReader<Short> reader_;
  std::vector<PickleNode*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, PickleNode*> memo_;
};

Pickle::Pickle(std::string_view bytes, const std::string& where) { PickleMachine(bytes, where, *this).run(); }

}  // namespace simmim
