//! The graph against a naive closure, and its corners.

use super::*;
use crate::Group;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn id(n: usize) -> GroupId {
    GroupId(format!("g{n}"))
}

fn snapshot(edges: &[(usize, usize)], groups: usize) -> GroupSnapshot {
    let groups = (0..groups)
        .map(|n| Group {
            id: id(n),
            name: format!("G{n}"),
            parents: edges.iter().filter(|(a, _)| *a == n).map(|(_, b)| id(*b)).collect(),
        })
        .collect();
    GroupSnapshot { groups, as_of: Timestamp::from_seconds(100) }
}

fn naive(edges: &[(usize, usize)], start: &[usize], target: usize) -> bool {
    let mut reached: BTreeSet<usize> = start.iter().copied().collect();
    loop {
        let before = reached.len();
        for (a, b) in edges {
            if reached.contains(a) {
                reached.insert(*b);
            }
        }
        if reached.len() == before {
            return reached.contains(&target);
        }
    }
}

proptest! {
    #[test]
    fn it_reaches_what_the_naive_closure_reaches(
        edges in proptest::collection::vec((0usize..12, 0usize..12), 0..30),
        split in 0usize..30,
        start in proptest::collection::vec(0usize..12, 0..3),
        target in 0usize..12,
    ) {
        let (left, right) = edges.split_at(split.min(edges.len()));
        let graph = GroupGraph::new(&[snapshot(left, 12), snapshot(right, 12)]);
        let groups: Vec<_> = start.iter().map(|n| id(*n)).collect();
        let expected = naive(&edges, &start, target);
        prop_assert_eq!(graph.reaches(&groups, &id(target)), expected);
        let chain = graph.explain(&groups, &id(target));
        prop_assert_eq!(chain.is_some(), expected);
        if let Some(chain) = chain {
            // The chain is one: it begins at the person, ends at the target, each step an edge.
            prop_assert!(groups.contains(&chain[0]));
            prop_assert_eq!(chain.last(), Some(&id(target)));
            for step in chain.windows(2) {
                prop_assert!(edges.iter().any(|(a, b)| id(*a) == step[0] && id(*b) == step[1]));
            }
        }
    }
}

#[test]
fn a_cycle_ends() {
    let graph = GroupGraph::new(&[snapshot(&[(0, 1), (1, 2), (2, 0)], 4)]);
    assert!(graph.reaches(&[id(0)], &id(2)));
    assert!(!graph.reaches(&[id(0)], &id(3)));
}

#[test]
fn the_explanation_is_the_shortest_chain() {
    let graph = GroupGraph::new(&[snapshot(&[(0, 1), (1, 2), (2, 3), (1, 3)], 4)]);
    assert_eq!(graph.explain(&[id(0)], &id(3)), Some(vec![id(0), id(1), id(3)]));
    assert_eq!(graph.explain(&[id(3)], &id(3)), Some(vec![id(3)]));
}

#[test]
fn a_parent_nobody_lists_can_still_be_reached() {
    let graph = GroupGraph::new(&[snapshot(&[(0, 9)], 1)]);
    assert!(graph.reaches(&[id(0)], &id(9)));
    assert!(graph.reaches(&[id(77)], &id(77)));
}

#[test]
fn a_short_name_that_several_groups_have_means_none_of_them() {
    let mut snapshot = snapshot(&[], 3);
    snapshot.groups[1].name = "Staff".into();
    snapshot.groups[2].name = "staff".into();
    let graph = GroupGraph::new(&[snapshot]);
    assert_eq!(graph.named("STAFF"), Named::Several(vec![&id(1), &id(2)]));
    assert_eq!(graph.named("G1"), Named::Group(&id(1)));
    assert_eq!(graph.named("nobody"), Named::Nothing);
}

#[test]
fn its_age_is_that_of_its_oldest_part() {
    let newer = GroupSnapshot { as_of: Timestamp::from_seconds(160), ..snapshot(&[], 1) };
    let graph = GroupGraph::new(&[newer, snapshot(&[], 1)]);
    assert_eq!(graph.as_of(), Timestamp::from_seconds(100));
}
