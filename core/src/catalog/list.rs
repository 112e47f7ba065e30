//! A list whose copies share what is the same: columns, constraints and indexes of a table.
//!
//! A history has a schema before every migration, and each migration changes little. So a list is cut into pieces: a change
//! copies the piece that it changes, not all columns of the table. The price is one more step to an element.

use std::slice;
use std::sync::Arc;

/// So many elements a piece has at most: most tables are one piece.
const PIECE: usize = 16;

/// A list in pieces that copies share.
#[derive(Debug, Clone)]
pub struct List<T> {
    pieces: Vec<Arc<Vec<T>>>,
}

/// The elements of a list, in order.
pub type Iter<'a, T> = std::iter::FlatMap<
    slice::Iter<'a, Arc<Vec<T>>>,
    slice::Iter<'a, T>,
    fn(&'a Arc<Vec<T>>) -> slice::Iter<'a, T>,
>;

impl<T: 'static> List<T> {
    const NONE: &'static Self = &Self::EMPTY;
}

impl<T> List<T> {
    const EMPTY: Self = Self { pieces: Vec::new() };

    /// The elements in order.
    pub fn iter(&self) -> Iter<'_, T> {
        fn elements<T>(piece: &Arc<Vec<T>>) -> slice::Iter<'_, T> {
            piece.iter()
        }
        self.pieces.iter().flat_map(elements as fn(&Arc<Vec<T>>) -> slice::Iter<'_, T>)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }

    /// Whether there is none. No piece is empty.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The last one.
    pub fn last(&self) -> Option<&T> {
        self.pieces.last()?.last()
    }
}

impl<T: Clone> List<T> {
    /// Adds one at the end.
    pub fn push(&mut self, element: T) {
        match self.pieces.last_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => Arc::make_mut(piece).push(element),
            None => {
                let mut piece = Vec::with_capacity(4);
                piece.push(element);
                self.pieces.push(Arc::new(piece));
            }
        }
    }

    /// Keeps those that are wanted.
    pub fn retain(&mut self, wanted: impl Fn(&T) -> bool) {
        for piece in self.pieces.iter_mut().filter(|piece| !piece.iter().all(&wanted)) {
            Arc::make_mut(piece).retain(&wanted);
        }
        self.pieces.retain(|piece| !piece.is_empty());
    }

    fn place(&self, meant: impl Fn(&T) -> bool) -> Option<(usize, usize)> {
        let place = |piece: &Arc<Vec<T>>| piece.iter().position(&meant);
        self.pieces.iter().enumerate().find_map(|(number, piece)| Some((number, place(piece)?)))
    }

    /// The first that is meant, to be changed.
    pub fn find_mut(&mut self, meant: impl Fn(&T) -> bool) -> Option<&mut T> {
        let (piece, at) = self.place(meant)?;
        Arc::make_mut(&mut self.pieces[piece]).get_mut(at)
    }

    /// Takes out the first that is meant, if there is one.
    pub fn remove_first(&mut self, meant: impl Fn(&T) -> bool) -> bool {
        let found = self.place(meant);
        if let Some((piece, at)) = found {
            Arc::make_mut(&mut self.pieces[piece]).remove(at);
            self.pieces.retain(|piece| !piece.is_empty());
        }
        found.is_some()
    }

    /// Those that are wanted, to be changed: only their pieces are copied.
    pub fn iter_mut_where<'a>(
        &'a mut self,
        wanted: impl Fn(&T) -> bool + Copy + 'a,
    ) -> impl Iterator<Item = &'a mut T> {
        let pieces = self.pieces.iter_mut().filter(move |piece| piece.iter().any(wanted));
        pieces.flat_map(|piece| Arc::make_mut(piece).iter_mut()).filter(move |element| wanted(element))
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.iter_mut_where(|_| true)
    }
}

/// What a table that nobody knows has.
impl<T: 'static> Default for &List<T> {
    fn default() -> Self {
        List::NONE
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Clone> Extend<T> for List<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        elements.into_iter().for_each(|element| self.push(element));
    }
}

impl<T: Clone> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut list = Self::default();
        list.extend(elements);
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize) -> List<usize> {
        (0..count).collect()
    }

    fn shared(one: &List<usize>, other: &List<usize>) -> usize {
        one.pieces.iter().zip(&other.pieces).filter(|(one, other)| Arc::ptr_eq(one, other)).count()
    }

    #[test]
    fn it_is_a_list() {
        let mut list = numbers(40);
        assert_eq!((list.len(), list.last(), list.is_empty()), (40, Some(&39), false));
        list.retain(|it| it % 2 == 0);
        list.iter_mut_where(|it| *it == 4).for_each(|it| *it = 5);
        list.push(1);
        let found: Vec<usize> = list.iter().copied().collect();
        assert_eq!((found.len(), &found[..4], found[20]), (21, &[0, 2, 5, 6][..], 1));
        list.retain(|_| false);
        assert!(list.is_empty() && list == List::default() && list.last().is_none());
    }

    /// What a change of a table with a thousand columns costs.
    #[test]
    fn a_change_copies_one_piece() {
        let before = numbers(1_000);
        let pieces = before.pieces.len();
        let changes: [fn(&mut List<usize>); 3] = [
            |it| it.push(1_000),
            |it| it.retain(|number| *number != 500),
            |it| it.iter_mut_where(|number| *number == 500).for_each(|number| *number = 0),
        ];
        for change in changes {
            let mut after = before.clone();
            change(&mut after);
            assert!(after != before && shared(&before, &after) + 1 >= pieces);
        }
    }
}
