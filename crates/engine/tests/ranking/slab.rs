//! The tree with another node than the queue's, and over bytes that are not a tree.

use ballast_engine::proof::{best_below, first_skipped, Threshold};
use ballast_engine::slab::{Links, Tree, TreeHeader, TreeNode, TreeRef};
use ballast_engine::units::Side;
use ballast_engine::EngineError;
use bytemuck::{Pod, Zeroable};
use proptest::prelude::*;

use crate::fixture::{cases, position, Store};
use crate::proof::plain_round;

/// A price level of an order book, as deep as its subtree.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct Level {
    links: Links,
    height: u32,
    price: u32,
    lots: u64,
    depth: u64,
}

impl Level {
    fn new(price: u32, lots: u64) -> Self {
        Self {
            price,
            lots,
            ..Self::zeroed()
        }
    }
}

impl TreeNode for Level {
    type Key = u32;
    type Summary = u64;

    fn key(&self) -> u32 {
        self.price
    }

    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }

    fn height(&self) -> u8 {
        u8::try_from(self.height).expect("balanced")
    }

    fn set_height(&mut self, height: u8) {
        self.height = u32::from(height);
    }

    fn summary(&self) -> u64 {
        self.depth
    }

    fn set_summary(&mut self, summary: u64) {
        self.depth = summary;
    }

    fn summarise(&self, left: Option<&Self>, right: Option<&Self>) -> u64 {
        let below = |child: Option<&Self>| child.map_or(0, |child| child.depth);
        self.lots + below(left) + below(right)
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_root_knows_the_depth_of_the_book(
        orders in prop::collection::vec((0_u32..40, 1_u64..100, any::<bool>()), 0..150),
    ) {
        let (mut header, mut nodes) = (TreeHeader::EMPTY, vec![Level::zeroed(); 40]);
        let mut book = std::collections::BTreeMap::new();
        for (price, lots, cancel) in orders {
            let mut tree = Tree::new(&mut header, &mut nodes);
            if cancel {
                let found = tree.as_ref().find(price).expect("sound");
                prop_assert_eq!(found.is_some(), book.remove(&price).is_some());
                if let Some(index) = found {
                    prop_assert_eq!(tree.remove(index), Ok(()));
                    prop_assert_eq!(tree.remove(index), Err(EngineError::NodeNotFound));
                }
            } else if let Some(index) = tree.as_ref().find(price).expect("sound") {
                prop_assert_eq!(tree.insert(Level::new(price, 1)), Err(EngineError::DuplicateKey));
                prop_assert_eq!(tree.replace(index, Level::new(price, lots)), Ok(()));
                book.insert(price, lots);
            } else {
                prop_assert!(tree.insert(Level::new(price, lots)).is_ok());
                book.insert(price, lots);
            }
            let tree = TreeRef::new(&header, &nodes);
            prop_assert_eq!(tree.invariant(), Ok(()));
            let depth = tree.get(tree.root()).map_or(0, |root| root.depth);
            prop_assert_eq!(depth, book.values().sum::<u64>());
        }
    }
}

#[test]
fn a_replacement_may_not_take_the_key_of_another() {
    let (mut header, mut nodes) = (TreeHeader::EMPTY, vec![Level::zeroed(); 2]);
    let mut tree = Tree::new(&mut header, &mut nodes);
    assert_eq!(tree.insert(Level::new(1, 1)), Ok(0));
    assert_eq!(tree.insert(Level::new(2, 1)), Ok(1));
    assert_eq!(
        tree.replace(0, Level::new(2, 5)),
        Err(EngineError::DuplicateKey)
    );
    assert_eq!(tree.replace(0, Level::new(3, 5)), Ok(()));
    assert_eq!(tree.as_ref().find(3), Ok(Some(0)));
    assert_eq!(tree.as_ref().invariant(), Ok(()));
}

/// A loop in the links, a node with two parents, or a link out of the slice is an
/// error and not an endless walk.
#[test]
fn broken_links_are_an_error() {
    const LEFT_OF_FIRST: usize = ballast_engine::queue::QUEUE_HEADER_SIZE;
    for link in [2_u32, 77, 0, 1] {
        let long = position(Side::Long, 1, 50, 25, 0);
        let mut store = Store::filled(Side::Long, &[long, long, long]);
        // The second node is the root: the first points back at it or out.
        store.bytes()[LEFT_OF_FIRST..LEFT_OF_FIRST + 4].copy_from_slice(&link.to_le_bytes());
        let round = ballast_engine::rank::Round {
            close: ballast_engine::rank::ClosePrice { quote: 1, lots: 1 },
            ..plain_round(Side::Long, 100)
        };
        let walk = first_skipped(&store.view(), &round, &Threshold::Everyone, None);
        assert_eq!(walk, Err(EngineError::TreeCorrupt), "{link}");
        let best = best_below(&store.view(), &round, None);
        assert_eq!(best, Err(EngineError::TreeCorrupt), "{link}");
        assert_eq!(store.view().invariant(), Err(EngineError::TreeCorrupt));
        if link != 2 {
            let found = store.view().tree().find((0, 0));
            assert_eq!(found, Err(EngineError::TreeCorrupt));
        }
        let mut queue = store.queue();
        if link == 77 {
            assert_eq!(queue.update(0, &long), Err(EngineError::TreeCorrupt));
        }
    }
}
