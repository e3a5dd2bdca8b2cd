//! A source with all its mutants built in, each behind a switch.

use proc_macro2::Span;
use quote::{format_ident, quote, ToTokens};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{parse_quote, BinOp, Block, Expr, Lit, ReturnType, Signature, Stmt};

/// Methods of one argument that a mutant confuses.
const METHODS: [(&str, &str); 14] = [
    ("checked_add", "checked_sub"),
    ("checked_add_unsigned", "checked_sub_unsigned"),
    ("checked_shl", "checked_shr"),
    ("floor_of", "ceil_of"),
    ("max", "min"),
    ("saturating_add", "saturating_sub"),
    ("try_add", "try_sub"),
    ("try_add_unsigned", "try_sub_unsigned"),
    ("wrapping_add", "wrapping_sub"),
    ("wrapping_add_unsigned", "wrapping_sub_unsigned"),
    ("wrapping_mul", "wrapping_add"),
    ("wrapping_shl", "wrapping_shr"),
    ("and", "or"),
    ("gt", "ge"),
];

/// Functions of `math` that a mutant confuses.
const FUNCTIONS: [(&str, &str); 2] = [
    ("mul_div_ceil", "mul_div_floor"),
    ("mul_div_ceil_signed", "mul_div_floor_signed"),
];

/// One change of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// Its number, from 1: the switch.
    pub id: u32,
    /// The source, from the package's folder.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The function.
    pub function: String,
    /// What is changed.
    pub change: String,
}

/// The module that every switch asks. The variable `MUTANT` turns one on; `MUTANTS_ASKED` names a file
/// in which the switches are noted that are asked while none is on.
pub fn switch(count: usize) -> String {
    let count = proc_macro2::Literal::usize_unsuffixed(count + 1);
    let module = quote! {
        extern crate std;
        use std::io::Write;
        use std::sync::atomic::{AtomicBool, Ordering};
        use std::sync::OnceLock;

        static ACTIVE: OnceLock<u32> = OnceLock::new();
        static ASKED: OnceLock<Option<std::fs::File>> = OnceLock::new();
        static SEEN: [AtomicBool; #count] = [const { AtomicBool::new(false) }; #count];

        pub fn on(id: u32) -> bool {
            let active = *ACTIVE.get_or_init(|| {
                let named = std::env::var("MUTANT").ok();
                named.and_then(|id| id.parse().ok()).unwrap_or(0)
            });
            if active == 0 && !SEEN[id as usize].swap(true, Ordering::Relaxed) {
                let asked = ASKED.get_or_init(|| {
                    let path = std::env::var_os("MUTANTS_ASKED")?;
                    std::fs::File::options().append(true).create(true).open(path).ok()
                });
                if let Some(mut file) = asked.as_ref() {
                    let _ = file.write_all(std::format!("{id}\n").as_bytes());
                }
            }
            active == id
        }
    };
    module.to_string()
}

/// The source with its mutants, which are added to `mutants`. Tests, constants and `const` functions
/// stay as they are: no switch can be asked where the compiler computes.
///
/// # Errors
/// A sentence, where the source cannot be parsed.
pub fn instrument(source: &str, file: &str, mutants: &mut Vec<Mutant>) -> Result<String, String> {
    let mut tree = syn::parse_file(source).map_err(|problem| format!("{file}: {problem}"))?;
    let mut switches = Switches {
        file,
        functions: Vec::new(),
        mutants,
    };
    switches.visit_file_mut(&mut tree);
    Ok(prettyplease::unparse(&tree))
}

struct Switches<'a> {
    file: &'a str,
    functions: Vec<String>,
    mutants: &'a mut Vec<Mutant>,
}

impl Switches<'_> {
    /// Notes a mutant; the condition under which it is on.
    fn on(&mut self, at: Span, change: String) -> Expr {
        let id = u32::try_from(self.mutants.len() + 1).expect("a few thousand mutants");
        self.mutants.push(Mutant {
            id,
            file: self.file.to_owned(),
            line: at.start().line,
            function: self.functions.last().cloned().unwrap_or_default(),
            change,
        });
        let id = proc_macro2::Literal::u32_unsuffixed(id);
        parse_quote!(crate::mutants::on(#id))
    }

    fn body(&mut self, sig: &Signature, attributes: &[syn::Attribute], block: &mut Block) {
        if sig.constness.is_some() || is_test(attributes) {
            return;
        }
        self.functions.push(sig.ident.to_string());
        self.visit_block_mut(block);
        let nothing: Option<Stmt> = match &sig.output {
            ReturnType::Default => Some(parse_quote!(return;)),
            ReturnType::Type(_, of) => {
                let of = of.to_token_stream().to_string();
                of.starts_with("Result < ()")
                    .then(|| parse_quote!(return Ok(());))
            }
        };
        if let (Some(nothing), false) = (nothing, block.stmts.is_empty()) {
            let on = self.on(sig.ident.span(), "does nothing".into());
            block.stmts.insert(0, parse_quote!(if #on { #nothing }));
        }
        self.functions.pop();
    }

    fn binary(&mut self, binary: &syn::ExprBinary) -> Option<Expr> {
        let (left, right, op) = (&binary.left, &binary.right, &binary.op);
        let (other, by_reference): (BinOp, bool) = match op {
            BinOp::Lt(_) => (parse_quote!(<=), true),
            BinOp::Le(_) => (parse_quote!(<), true),
            BinOp::Gt(_) => (parse_quote!(>=), true),
            BinOp::Ge(_) => (parse_quote!(>), true),
            BinOp::Eq(_) => (parse_quote!(!=), true),
            BinOp::Ne(_) => (parse_quote!(==), true),
            BinOp::Add(_) => (parse_quote!(-), false),
            BinOp::Sub(_) => (parse_quote!(+), false),
            BinOp::BitOr(_) => (parse_quote!(&), false),
            BinOp::BitAnd(_) => (parse_quote!(|), false),
            BinOp::Shl(_) => (parse_quote!(>>), false),
            BinOp::Shr(_) => (parse_quote!(<<), false),
            BinOp::And(_) | BinOp::Or(_) => return Some(self.lazy(binary)),
            _ => return None,
        };
        let change = format!("{} for {}", other.to_token_stream(), op.to_token_stream());
        let on = self.on(op.span(), change);
        Some(match by_reference {
            true => parse_quote!((match (&(#left), &(#right)) {
                (left, right) => if #on { left #other right } else { left #op right }
            })),
            false => parse_quote!((match (#left, #right) {
                (left, right) => if #on { left #other right } else { left #op right }
            })),
        })
    }

    /// `&&` and `||`: the right side runs only where it must, and sees the new name.
    fn lazy(&mut self, binary: &syn::ExprBinary) -> Expr {
        let (left, right, op) = (&binary.left, &binary.right, &binary.op);
        let other: BinOp = match op {
            BinOp::And(_) => parse_quote!(||),
            _ => parse_quote!(&&),
        };
        let change = format!("{} for {}", other.to_token_stream(), op.to_token_stream());
        let on = self.on(op.span(), change);
        parse_quote!(({
            let __left = #left;
            if #on { __left #other (#right) } else { __left #op (#right) }
        }))
    }

    fn method(&mut self, call: &syn::ExprMethodCall) -> Option<Expr> {
        let (receiver, name) = (&call.receiver, call.method.to_string());
        if name.starts_with("is_") || name.starts_with("has_") {
            let on = self.on(call.method.span(), format!("not {name}"));
            return Some(parse_quote!((#call != #on)));
        }
        let other = format_ident!("{}", partner(&METHODS, &name)?);
        let mut arguments = call.args.iter();
        let (Some(argument), None) = (arguments.next(), arguments.next()) else {
            return None;
        };
        let name = &call.method;
        let on = self.on(name.span(), format!("{other} for {name}"));
        // A variable may be a reference that a loop asks again: it is named, not moved.
        Some(match &**receiver {
            Expr::Path(_) => parse_quote!((match #argument {
                __right => if #on { #receiver.#other(__right) } else { #receiver.#name(__right) }
            })),
            _ => parse_quote!((match (#receiver, #argument) {
                (left, right) => if #on { left.#other(right) } else { left.#name(right) }
            })),
        })
    }

    fn call(&mut self, call: &syn::ExprCall) -> Option<Expr> {
        let Expr::Path(path) = &*call.func else {
            return None;
        };
        let name = &path.path.segments.last()?.ident;
        let other = format_ident!("{}", partner(&FUNCTIONS, &name.to_string())?);
        let on = self.on(name.span(), format!("{other} for {name}"));
        let arguments = &call.args;
        Some(parse_quote!((match (#arguments) {
            (a, b, c) => if #on { crate::math::#other(a, b, c) } else { crate::math::#name(a, b, c) }
        })))
    }

    fn literal(&mut self, literal: &syn::ExprLit) -> Option<Expr> {
        let Lit::Int(number) = &literal.lit else {
            return None;
        };
        let value = number.base10_parse::<u128>().ok()?;
        let more = format!("{}{}", value.checked_add(1)?, number.suffix());
        let more = syn::LitInt::new(&more, number.span());
        let on = self.on(number.span(), format!("{more} for {number}"));
        Some(parse_quote!((if #on { #more } else { #literal })))
    }
}

impl VisitMut for Switches<'_> {
    fn visit_item_mut(&mut self, item: &mut syn::Item) {
        match item {
            syn::Item::Mod(module) if is_test(&module.attrs) => {}
            syn::Item::Impl(block) if is_test(&block.attrs) => {}
            syn::Item::Fn(_) | syn::Item::Impl(_) | syn::Item::Mod(_) | syn::Item::Trait(_) => {
                visit_mut::visit_item_mut(self, item);
            }
            _ => {}
        }
    }

    fn visit_item_fn_mut(&mut self, function: &mut syn::ItemFn) {
        self.body(&function.sig, &function.attrs, &mut function.block);
    }

    fn visit_impl_item_mut(&mut self, item: &mut syn::ImplItem) {
        if let syn::ImplItem::Fn(function) = item {
            self.body(&function.sig, &function.attrs, &mut function.block);
        }
    }

    fn visit_trait_item_mut(&mut self, item: &mut syn::TraitItem) {
        if let syn::TraitItem::Fn(function) = item {
            if let Some(block) = &mut function.default {
                self.body(&function.sig, &function.attrs, block);
            }
        }
    }

    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        visit_mut::visit_stmt_mut(self, statement);
        let Stmt::Expr(expression, Some(_)) = &*statement else {
            return;
        };
        let change = match expression {
            Expr::Try(tried) => called(&tried.expr),
            Expr::Call(_) | Expr::MethodCall(_) => called(expression),
            Expr::Assign(_) => "no assignment".into(),
            _ => return,
        };
        let on = self.on(expression.span(), change);
        *statement = parse_quote!(if !#on { #expression; });
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        // What a `?` follows is no truth value, whatever it is called.
        if let Expr::Try(tried) = expression {
            return visit_mut::visit_expr_mut(self, &mut tried.expr);
        }
        visit_mut::visit_expr_mut(self, expression);
        let switched = match expression {
            Expr::Binary(binary) => self.binary(binary),
            Expr::Call(call) => self.call(call),
            Expr::Lit(literal) => self.literal(literal),
            Expr::MethodCall(call) => self.method(call),
            _ => None,
        };
        if let Some(switched) = switched {
            *expression = switched;
        }
    }

    fn visit_expr_repeat_mut(&mut self, repeat: &mut syn::ExprRepeat) {
        self.visit_expr_mut(&mut repeat.expr);
    }

    fn visit_expr_const_mut(&mut self, _: &mut syn::ExprConst) {}
    fn visit_pat_mut(&mut self, _: &mut syn::Pat) {}
    fn visit_type_mut(&mut self, _: &mut syn::Type) {}
    fn visit_attribute_mut(&mut self, _: &mut syn::Attribute) {}
    fn visit_generic_argument_mut(&mut self, _: &mut syn::GenericArgument) {}
}

/// What is left out with a call.
fn called(expression: &Expr) -> String {
    let name = match expression {
        Expr::MethodCall(call) => call.method.to_string(),
        Expr::Call(call) => call.func.to_token_stream().to_string(),
        _ => "call".into(),
    };
    format!("no {name}")
}

fn partner<'a>(pairs: &[(&'a str, &'a str)], name: &str) -> Option<&'a str> {
    pairs.iter().find_map(|(one, other)| match name {
        name if name == *one => Some(*other),
        name if name == *other => Some(*one),
        _ => None,
    })
}

/// Whether an item is there for tests only.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.meta.to_token_stream().to_string();
        text == "test" || text.starts_with("cfg (test") || text.contains("feature = \"test\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(source: &str) -> Vec<String> {
        let mut mutants = Vec::new();
        instrument(source, "lib.rs", &mut mutants).expect("a source");
        mutants
            .into_iter()
            .map(|mutant| format!("{}:{} {}", mutant.line, mutant.function, mutant.change))
            .collect()
    }

    #[test]
    fn every_kind_of_change_is_found() {
        let source = "\
fn decide(a: u64, b: u64) -> bool {
    a < b && a.is_power_of_two()
}
fn sum(a: u64) -> Option<u64> {
    a.checked_add(7)
}
fn store(of: &mut S) -> Result<(), E> {
    of.x = 1;
    of.check()?;
    Ok(())
}
fn share(a: u64) -> Result<u64, E> {
    mul_div_floor(a, 2, 3)
}";
        let expected = [
            "2:decide <= for <",
            "2:decide not is_power_of_two",
            "2:decide || for &&",
            "5:sum 8 for 7",
            "5:sum checked_sub for checked_add",
            "8:store 2 for 1",
            "8:store no assignment",
            "9:store no check",
            "7:store does nothing",
            "13:share 3 for 2",
            "13:share 4 for 3",
            "13:share mul_div_ceil for mul_div_floor",
        ];
        assert_eq!(changes(source), expected);
    }

    #[test]
    fn a_variable_is_named_and_not_moved() {
        let source = "fn left(right: &mut u64) -> Option<u64> { right.checked_sub(1) }";
        let written = instrument(source, "lib.rs", &mut Vec::new()).expect("a source");
        assert!(written.contains("right.checked_sub(__right)"), "{written}");
        assert!(written.contains("right.checked_add(__right)"), "{written}");
    }

    #[test]
    fn what_the_compiler_computes_and_tests_stay_as_they_are() {
        let source = "\
const A: u64 = 1 + 2;
const fn of() -> u64 { 1 + 2 }
struct S([u8; 3]);
#[cfg(test)]
mod tests { fn a() -> u64 { 1 + 2 } }
fn pattern(a: u64) -> [bool; 4] { match a { 0..=9 => [true; 4], _ => [false; 4] } }";
        assert_eq!(changes(source), [] as [&str; 0]);
    }
}
